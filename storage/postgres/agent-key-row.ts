import type { AgentKey } from '../../domain/ves/agent-key.ts';

export const agentKeyColumns =
  'tenant_id, agent_id, key_id, public_key, algorithm, valid_from, valid_to, revoked_at, created_at';

/** The types are those of the columns in migrations/0003_ves_events.sql, as row-types.ts reads them. */
export function toAgentKey(columns: Readonly<Record<string, unknown>>): AgentKey {
  return {
    tenantId: columns.tenant_id,
    agentId: columns.agent_id,
    keyId: columns.key_id,
    publicKey: columns.public_key,
    algorithm: columns.algorithm,
    validFrom: columns.valid_from,
    validTo: columns.valid_to,
    revokedAt: columns.revoked_at,
    createdAt: columns.created_at,
  } as AgentKey;
}
