import type { AgentId, TenantId } from '../domain/types.ts';
import type { AgentKey, AgentKeyRef, NewAgentKey } from '../domain/ves/agent-key.ts';

/**
 * The public keys with which the agents of every tenant sign.
 *
 * Every method asks the primary: an answer reflects all changes that were durable when the call began.
 * All of them throw `LogUnavailable` when the database can't be reached or does not answer in time; a change may then
 * have been saved all the same.
 */
export interface AgentKeys {
  /** Null when nothing is registered under this number. */
  find(ref: AgentKeyRef): Promise<AgentKey | null>;

  /** The agent's keys, revoked ones too, by ascending number, at most `limit` of those after `afterKeyId`. */
  list(
    agent: { readonly tenantId: TenantId; readonly agentId: AgentId },
    page: { readonly afterKeyId: number | null; readonly limit: number },
  ): Promise<AgentKey[]>;

  /** @returns false, and leaves everything as it was, when the number is taken, if only by a revoked key */
  register(key: NewAgentKey): Promise<boolean>;

  /**
   * Makes the key unusable for good; the time of the first revocation stays.
   * @returns the key as it is now; null when there is none
   */
  revoke(ref: AgentKeyRef): Promise<AgentKey | null>;

  /** A number that grows with every change of any key, in the transaction of the change. */
  revision(): Promise<number>;
}
