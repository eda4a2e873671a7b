import { SequencerError } from '../../domain/errors.ts';
import type { VerifyReceipt } from '../../domain/history/stream-history.ts';
import { type PublicKeys, readEvidence, type Receipt, verifyReceipts } from '../../domain/verify/verify.ts';
import { NodeCryptography } from './node-cryptography.ts';

/**
 * Verifies the receipts of a history: each must be the JSON that the sequencer answered, be for the event and the sequence
 * beside which it stands, and have a signature of one of these keys. The receipt's hash is taken as it stands, since a
 * history has digests in place of events.
 */
export function historyReceiptVerifier(keys: PublicKeys): VerifyReceipt {
  const cryptography = new NodeCryptography();
  return (text, { id, sequence }) => {
    const receipt = receiptIn(text, cryptography);
    if (receipt?.eventId !== id || receipt.sequence !== sequence) return false;
    const { holds, lacksKeys } = verifyReceipts([receipt], () => null, {
      keys,
      cryptography,
      requireSignatures: true,
    });
    return holds && !lacksKeys;
  };
}

function receiptIn(text: string, { sha256 }: NodeCryptography): Receipt | undefined {
  try {
    const evidence = readEvidence(Buffer.from(text), sha256);
    return evidence.kind === 'receipts' ? evidence.receipts[0] : undefined;
  } catch (error) {
    if (error instanceof SequencerError) return undefined;
    throw error;
  }
}
