import type { Hash, Uuid } from '../../domain/types.ts';

/** Signs commitments with the node's key. */
export interface CommitmentSigner {
  readonly sequencerId: Uuid;
  /** @param hash from `commitmentSigningHash` */
  sign(hash: Hash): Promise<{ readonly signature: Uint8Array; readonly keyVersion: number }>;
}
