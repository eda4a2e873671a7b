import type { AgentKey, AgentKeyRef } from '../../../domain/ves/agent-key.ts';
import { agentKeyColumns, toAgentKey } from '../agent-key-row.ts';
import type { Query } from '../query.ts';

/** One row if there is such a key. */
export const revokeAgentKey: Query<AgentKeyRef, AgentKey> = {
  name: 'revoke_agent_key',
  text: `
    update agent_keys set revoked_at = coalesce(revoked_at, now())
     where tenant_id = $1 and agent_id = $2 and key_id = $3
    returning ${agentKeyColumns}`,
  values: ({ tenantId, agentId, keyId }) => [tenantId, agentId, keyId],
  row: toAgentKey,
};
