import type { EventId, Hash, Sequence, Uuid } from '../types.ts';
import { record, values } from './read-record.ts';

/** A sequencer's receipt (ves-format 6), as it came. */
export interface Receipt {
  readonly sequencerId: Uuid;
  readonly eventId: EventId;
  readonly sequence: Sequence;
  readonly receiptHash: Hash;
  /** `ed25519`, or `none` when nobody signed. */
  readonly algorithm: string;
  readonly signature: Uint8Array | null;
  readonly keyVersion: number;
}

const readReceiptRecord = record(
  {
    sequencerId: values.uuid,
    eventId: values.uuid,
    sequenceNumber: values.sequence,
    receiptHash: values.hash,
    signatureAlg: values.text,
    sequencerSignature: values.optionalSignature,
    sequencerKeyVersion: values.u32,
  },
  {},
);

export function readReceipt(fields: Parameters<typeof readReceiptRecord>[0]): Receipt {
  const found = readReceiptRecord(fields);
  return {
    sequencerId: found.sequencerId,
    eventId: found.eventId,
    sequence: found.sequenceNumber,
    receiptHash: found.receiptHash,
    algorithm: found.signatureAlg,
    signature: found.sequencerSignature,
    keyVersion: found.sequencerKeyVersion,
  };
}
