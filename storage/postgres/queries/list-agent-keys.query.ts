import type { AgentId, TenantId } from '../../../domain/types.ts';
import type { AgentKey } from '../../../domain/ves/agent-key.ts';
import { agentKeyColumns, toAgentKey } from '../agent-key-row.ts';
import type { Query } from '../query.ts';

interface AgentKeyPage {
  readonly tenantId: TenantId;
  readonly agentId: AgentId;
  readonly afterKeyId: number | null;
  readonly limit: number;
}

export const listAgentKeys: Query<AgentKeyPage, AgentKey> = {
  name: 'list_agent_keys',
  text: `
    select ${agentKeyColumns}
      from agent_keys
     where tenant_id = $1 and agent_id = $2 and key_id > $3
     order by key_id
     limit $4`,
  values: ({ tenantId, agentId, afterKeyId, limit }) => [tenantId, agentId, afterKeyId ?? -1, limit],
  row: toAgentKey,
};
