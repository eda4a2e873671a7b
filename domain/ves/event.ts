import type { Fault } from '../sequencing/rejection.ts';
import type { AgentId, CommandId, EventId, Hash, Micros, RequestId, Sequence, StoreKey } from '../types.ts';

/** 64 bytes of an Ed25519 signature. */
export type SignatureBytes = Uint8Array;

/** One event as its agent signed it (ves-format 3), read from the bytes. Nothing in it has been checked yet. */
export interface VesEvent {
  readonly vesVersion: number;
  readonly eventId: EventId;
  readonly commandId: CommandId | null;
  readonly sourceAgent: AgentId;
  /** u32: which of the agent's keys signed. */
  readonly agentKeyId: number;
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  /** As received, since that is what is signed. */
  readonly createdAtText: string;
  /** u64 read exactly. */
  readonly baseVersion: bigint | null;
  /** 0 plain, 1 encrypted. */
  readonly payloadKind: 0 | 1;
  /** The text of `payload` (kind 0) or of `payload_encrypted` (kind 1) as received; a view into the request body. */
  readonly payload: Uint8Array;
  readonly payloadPlainHash: Hash;
  readonly payloadCipherHash: Hash;
  readonly agentSignature: SignatureBytes;
  /** As received; null when absent. */
  readonly signatureScheme: number | null;
}

/** An event after every check that needs no look into the log: ready to be sequenced, or with the reason why not. */
export interface CheckedVesEvent extends VesEvent {
  /** The instant of `createdAtText`; meaningless when that is the fault. */
  readonly createdAt: Micros;
  /** What the agent signed (ves-format 4). */
  readonly signingHash: Hash;
  /** The first check that failed, unless it is an exact replay of a stored event; null when all passed. */
  readonly fault: Fault | null;
  /** How the payload breaks the schema of its event type, which counts before all else; absent when it does not. */
  readonly schemaFault?: Fault;
}

/** What the sequencer signed, and with which of its keys. */
export interface ReceiptSignature {
  readonly signature: SignatureBytes;
  readonly keyVersion: number;
}

/** A stored signed event, with all that its receipt needs. */
export interface StoredVesEvent extends Omit<VesEvent, 'payload'>, StoreKey {
  /** As received; null once its tenant was erased. */
  readonly payload: Uint8Array | null;
  readonly sequence: Sequence;
  readonly requestId: RequestId;
  readonly sequencedAt: Micros;
  readonly createdAt: Micros;
  readonly signingHash: Hash;
  readonly leafHash: Hash;
  /** Null when receipts were not signed at the time. */
  readonly receiptSignature: ReceiptSignature | null;
}
