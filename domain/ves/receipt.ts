import type { Sha256 } from '../sha256.ts';
import { formatTimestamp } from '../time.ts';
import type { EventId, Hash, Micros, Sequence, StoreKey } from '../types.ts';
import type { ReceiptSignature } from './event.ts';
import { receiptHash } from './hashes.ts';

/** What the caller keeps as proof that a signed event was accepted (ves-format 6), but for the id of the sequencer. */
export interface VesReceipt {
  readonly eventId: EventId;
  readonly sequence: Sequence;
  /** RFC 3339, as receipts have it; nothing signs it. */
  readonly sequencedAt: string;
  readonly receiptHash: Hash;
  /** Null when receipts were not signed at the time. */
  readonly signature: ReceiptSignature | null;
}

/** What a receipt is made of: all of it is stored with the event. */
export interface ReceiptFacts extends StoreKey {
  readonly eventId: EventId;
  readonly sequence: Sequence;
  readonly sequencedAt: Micros;
  readonly signingHash: Hash;
  readonly receiptSignature: ReceiptSignature | null;
}

export function receiptOf(facts: ReceiptFacts, sha256: Sha256): VesReceipt {
  const { eventId, sequence, sequencedAt, signingHash, receiptSignature } = facts;
  return {
    eventId,
    sequence,
    sequencedAt: formatTimestamp(sequencedAt, '+00:00'),
    receiptHash: receiptHash(facts, sequence, signingHash, sha256),
    signature: receiptSignature,
  };
}
