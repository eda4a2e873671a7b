import type { Rejection } from '../domain/sequencing/rejection.ts';
import type { AgentId, EventId, Head, RequestId, Sequence, StoreKey, Uuid, World } from '../domain/types.ts';
import type { VesReceipt } from '../domain/ves/receipt.ts';

export type { Rejection, RejectionReason } from '../domain/sequencing/rejection.ts';

/** Names, parameters and results of the broker's actions: what callers on any node may rely on. */

/** What the owner must know of the caller to run the whole-request checks in their published order. */
export interface AppendPrincipal {
  /** The agent that the credential is bound to, or null when it is not bound. */
  readonly agentId: AgentId | null;
  /** Whether the credential may write to this store: flag and scope. */
  readonly mayWrite: boolean;
}

/** What travels with a call for logs and traces, beside its parameters: the broker's `meta`. */
export interface CallMeta {
  /** As the client got it in `x-request-id`. */
  readonly requestId?: string;
  /** Of the caller's span, as W3C Trace Context writes it. */
  readonly traceparent?: string;
}

/** `sequencer.append`: one client request, as the bytes it came in. Routed to the owner of (tenant, store). */
export interface AppendParams extends StoreKey {
  readonly world: World;
  /** All attempts for one client request carry the same id, so that a retry is not taken for a duplicate. */
  readonly requestId: RequestId;
  /** The HTTP body as received; read once, by the owner. */
  readonly body: Uint8Array;
  readonly principal: AppendPrincipal;
  /** How long the caller will still wait; what runs out of it in a mailbox is answered, not appended. */
  readonly timeLeftMs: number;
}

/** The answer to one request: some events accepted, the others rejected one by one. */
export interface AppendReply {
  /** New events; those that repeat stored signed ones are neither accepted nor rejected. */
  readonly accepted: number;
  readonly rejected: number;
  /** First and last sequence of the accepted events; null when there are none. */
  readonly sequenceStart: Sequence | null;
  readonly sequenceEnd: Sequence | null;
  /** The stream's head after this request. */
  readonly head: Head;
  readonly rejections: readonly Rejection[];
  /** The accepted events in input order; their sequences are contiguous. */
  readonly receipts: readonly { readonly eventId: EventId; readonly sequence: Sequence }[];
  /** For a request of signed events only. */
  readonly signed?: SignedReceipts;
}

export interface SignedReceipts {
  readonly sequencerId: Uuid;
  /** First those of events that were stored before, then those of the accepted ones, both in input order. */
  readonly receipts: readonly VesReceipt[];
}

/** `sequencer.head`: the durable head of one stream, from any node. */
export interface HeadParams extends StoreKey {
  readonly world: World;
}

export interface HeadReply {
  readonly head: Head;
}
