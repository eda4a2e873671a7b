import type { Principal } from '../domain/access.ts';
import type { AgentId, ApiKeyHash, Micros, TenantId } from '../domain/types.ts';

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

  /**
   * Makes a configured key a bootstrap administrator, whatever it was before, unless it has been revoked: that stays so.
   * With `replaceOthers` every other key that was installed so is revoked in the same transaction; of several that are
   * installed at once, the last one to commit stays.
   * @returns whether the key is active
   */
  installBootstrapKey(hash: ApiKeyHash, options: { readonly replaceOthers: boolean }): Promise<boolean>;

  /** Whether anyone can authenticate with a key at all. */
  hasActiveKey(): Promise<boolean>;

  /**
   * Adds an active key, unless its owner (the agent, or the tenant if the key is bound to no agent) already has as many
   * as `activeKeysMax`; several added at once may exceed that.
   * @returns whether it was added
   * @throws InvariantBroken when the hash exists: keys are random, so that is no accident
   */
  insertKey(hash: ApiKeyHash, principal: Principal, activeKeysMax?: number): Promise<boolean>;

  /** Makes the key unusable for good. @returns whether it was active until now */
  revoke(hash: ApiKeyHash): Promise<boolean>;

  /** An owner's keys, revoked ones too, newest first, at most `limit` of those older than the one with this hash prefix. */
  list(
    owner: KeyOwner,
    page: { readonly afterPrefix: string | null; readonly limit: number },
  ): Promise<ApiKeyRecord[]>;

  /** An owner's keys whose hash begins with these lower-case hex digits, at most `limit`. */
  findByPrefix(owner: KeyOwner, prefix: string, limit: number): Promise<ApiKeyRecord[]>;

  /** The agent's key that was last made or changed; null when it never had one. */
  findLatest(agent: AgentRef): Promise<ApiKeyRecord | null>;

  /** The tenants that gave this agent a key, at most `limit`: nothing stops two tenants from using the same id. */
  tenantsOfAgent(agentId: AgentId, limit: number): Promise<TenantId[]>;

  /** A number that grows with every change of any key, in the transaction of the change. */
  revision(): Promise<number>;
}

export interface AgentRef {
  readonly tenantId: TenantId;
  readonly agentId: AgentId;
}

/** Whose keys are meant: those of one agent, or with null all of a tenant. */
export interface KeyOwner {
  readonly tenantId: TenantId;
  readonly agentId: AgentId | null;
}

export interface ApiKeyRecord {
  readonly hash: ApiKeyHash;
  /** A key that is not active proves nothing. */
  readonly active: boolean;
  readonly principal: Principal;
  readonly createdAt: Micros;
}
