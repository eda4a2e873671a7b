import type { Hash } from '../domain/types.ts';
import type { ReceiptSignature } from '../domain/ves/event.ts';

/** Signs receipts with this node's key. Handed in, since keys and the fastest signer are the node's affair. */
export interface ReceiptSigner {
  /** Signs receipt hashes, off the event loop; the signatures come in the order of the hashes. */
  sign(receiptHashes: readonly Hash[]): Promise<ReceiptSignature[]>;
}
