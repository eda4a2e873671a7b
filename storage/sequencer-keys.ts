import type { Micros, Uuid } from '../domain/types.ts';

/**
 * Who the sequencer is, and every key with which one of its nodes ever signed: what others need to check receipts.
 *
 * All methods throw `LogUnavailable` when the database can't be reached or does not answer in time.
 */
export interface SequencerKeys {
  /**
   * The id of the sequencer, which is made once for the database and then stays.
   * @param given what it is to be from now on; null keeps the one that there is
   */
  identity(given: Uuid | null): Promise<Uuid>;

  /**
   * Notes that a node signs with this key.
   * @param publicKey 32 bytes of Ed25519
   * @returns the key's version: the same for the same key, whichever node notes it
   */
  recordUse(publicKey: Uint8Array, nodeId: string): Promise<number>;

  /** Every key, by ascending version. */
  list(): Promise<SequencerKey[]>;
}

export interface SequencerKey {
  readonly keyVersion: number;
  readonly publicKey: Uint8Array;
  /** The node that noted its use last. */
  readonly nodeId: string;
  readonly firstUsedAt: Micros;
  readonly lastUsedAt: Micros;
}
