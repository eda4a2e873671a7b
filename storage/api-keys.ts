import type { Principal } from '../domain/access.ts';
import type { ApiKeyHash } from '../domain/types.ts';

/**
 * The API keys of every tenant. Only hashes are stored, so nobody who reads the table can use a key.
 *
 * Every method asks the primary: an answer reflects all changes that were durable when the call began.
 * All of them throw `LogUnavailable` when the database can't be reached or does not answer in time; a change may then
 * have been saved all the same.
 */
export interface ApiKeys {
  /** The key with this hash, active or not; null when there is none. */
  findByHash(hash: ApiKeyHash): Promise<ApiKeyRecord | null>;

  /** Makes this key an active bootstrap administrator, whatever it was before. */
  upsertBootstrapKey(hash: ApiKeyHash): Promise<void>;

  /** Whether anyone can authenticate with a key at all. */
  hasActiveKey(): Promise<boolean>;

  /**
   * Adds an active key.
   * @throws InvariantBroken when the hash exists: keys are random, so that is no accident
   */
  insertKey(hash: ApiKeyHash, principal: Principal): Promise<void>;

  /** Makes the key unusable for good. @returns whether it was active until now */
  revoke(hash: ApiKeyHash): Promise<boolean>;

  /** A number that grows with every change of any key, in the transaction of the change. */
  revision(): Promise<number>;
}

export interface ApiKeyRecord {
  readonly hash: ApiKeyHash;
  /** A key that is not active proves nothing. */
  readonly active: boolean;
  readonly principal: Principal;
}
