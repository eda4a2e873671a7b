import type { AgentKey, AgentKeyRef } from '../../../domain/ves/agent-key.ts';
import { agentKeyColumns, toAgentKey } from '../agent-key-row.ts';
import type { Query } from '../query.ts';

export const findAgentKey: Query<AgentKeyRef, AgentKey> = {
  name: 'find_agent_key',
  text: `
    select ${agentKeyColumns}
      from agent_keys
     where tenant_id = $1 and agent_id = $2 and key_id = $3`,
  values: ({ tenantId, agentId, keyId }) => [tenantId, agentId, keyId],
  row: toAgentKey,
};
