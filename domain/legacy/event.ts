import type { Fault } from '../sequencing/rejection.ts';
import type {
  AgentId,
  CommandId,
  EntityVersion,
  EventId,
  Hash,
  Micros,
  Sequence,
  StoreKey,
} from '../types.ts';

/** One unsigned event as a client sent it (ves-format 8.1), read from the bytes and not yet sequenced. */
export interface LegacyEvent {
  readonly eventId: EventId;
  readonly commandId: CommandId | null;
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  readonly sourceAgent: AgentId;
  readonly createdAt: Micros;
  /** u64 read exactly: a value beyond 2^53 must conflict, not round to one that matches. */
  readonly baseVersion: bigint | null;
  /** The payload's text exactly as received, UTF-8; a view into the request body, never re-serialised. */
  readonly payload: Uint8Array;
  /** SHA-256 of the canonical legacy text of the payload, computed here. */
  readonly payloadHash: Hash;
  /** Whether the client sent a payload hash, and it differs from the computed one. */
  readonly payloadHashDiffers: boolean;
  /** Stored and returned, never checked. */
  readonly signature: Uint8Array | null;
  /** How the payload breaks the schema of its event type; absent when it does not. Not stored. */
  readonly schemaFault?: Fault;
}

/** A stored unsigned event, as reads return it. */
export interface StoredLegacyEvent extends StoreKey {
  readonly sequence: Sequence;
  readonly sequencedAt: Micros;
  readonly eventId: EventId;
  readonly commandId: CommandId | null;
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  readonly sourceAgent: AgentId;
  readonly createdAt: Micros;
  readonly baseVersion: EntityVersion | null;
  /** As received; null once its tenant was erased. */
  readonly payload: Uint8Array | null;
  readonly payloadHash: Hash;
  readonly leafHash: Hash;
  readonly signature: Uint8Array | null;
}
