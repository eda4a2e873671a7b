import type { AgentKeyRef } from '../../domain/ves/agent-key.ts';
import type { Uuid } from '../../domain/types.ts';

/** Where a stream is read from: a node over HTTP, or the database itself. */
export interface ExportSource {
  head(): Promise<number>;
  /** Null when nothing can be told of the sequencer's keys. */
  sequencer(): Promise<ExportedSequencer | null>;
  /** The commitments that end at a sequence or behind it, in order; the first `limit` of them. */
  commitments(from: number, limit: number): Promise<ExportedCommitment[]>;
  /** Events from a sequence on, in order: as many as are reasonable at once, none behind `to`. */
  events(from: number, to: number): Promise<EventPage>;
  /** Null when there is no such key, or it is not for the caller to see. */
  agentKey(ref: AgentKeyRef): Promise<object | null>;
  close(): Promise<void>;
}

export interface ExportedSequencer {
  readonly sequencerId: Uuid | null;
  readonly keys: readonly { readonly keyVersion: number; readonly publicKey: string }[];
}

export interface ExportedCommitment {
  readonly sequenceEnd: number;
  readonly body: object;
}

export interface EventPage {
  readonly events: readonly ExportedEventText[];
  /** Where the next page begins; what lies before it and is not in a page does not exist. */
  readonly next: number;
}

export interface ExportedEventText {
  readonly sequence: number;
  /** The members of its line behind the sequence, without braces around them. */
  readonly members: Uint8Array;
  /** Who signed it; null in legacy. */
  readonly signedBy: AgentKeyRef | null;
}
