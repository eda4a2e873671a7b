import { sameBytes, toHex } from '../bytes.ts';
import { eventSigningHash, receiptHash } from '../ves/hashes.ts';
import type { VesEventInRequest } from '../ves/read-request.ts';
import type { Receipt } from './read-receipt.ts';
import { checkSequencerSignature, noteUnsigned, type VerifyContext } from './verify-signature.ts';

/**
 * Checks a receipt: that its hash is the one of the event at the sequence that it names, and that the sequencer signed it.
 * @param event null when only the receipt is at hand; then the hash is taken as it stands
 */
export function verifyReceipt(
  subject: string,
  receipt: Receipt,
  event: VesEventInRequest | null,
  context: VerifyContext,
): void {
  const { checklist } = context;
  if (event === null) {
    const missing = `the event ${receipt.eventId} is not at hand`;
    checklist.unchecked('receipt-hash', subject, missing, 'out of reach');
  } else {
    noteReceiptHash(subject, receipt, event, context);
  }

  const check = { rule: 'receipt-signature', subject } as const;
  const { sequencerId, keyVersion, algorithm, signature } = receipt;
  if (algorithm === 'none' && signature === null) {
    noteUnsigned(check, context);
  } else if (algorithm !== 'ed25519') {
    checklist.failed(check.rule, subject, `its signatureAlg is ${algorithm}; known is ed25519`);
  } else if (signature === null) {
    checklist.failed(check.rule, subject, 'its sequencerSignature is empty');
  } else {
    checkSequencerSignature(check, receipt.receiptHash, { sequencerId, keyVersion, signature }, context);
  }
}

function noteReceiptHash(
  subject: string,
  receipt: Receipt,
  event: VesEventInRequest,
  { checklist, cryptography: { sha256 } }: VerifyContext,
): void {
  if (receipt.eventId !== event.eventId) {
    checklist.failed('receipt-hash', subject, `it is for ${receipt.eventId}; the event is ${event.eventId}`);
    return;
  }
  const expected = receiptHash(event, receipt.sequence, eventSigningHash(event, sha256), sha256);
  const holds = sameBytes(receipt.receiptHash, expected);
  const detail = holds
    ? `event ${event.eventId} at sequence ${receipt.sequence}`
    : `it is ${toHex(receipt.receiptHash)}; from the event at sequence ${receipt.sequence} follows ${toHex(expected)}`;
  checklist.note('receipt-hash', subject, holds, detail);
}
