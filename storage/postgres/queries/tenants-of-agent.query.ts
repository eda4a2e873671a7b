import type { AgentId, TenantId } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

interface Parameters {
  readonly agentId: AgentId;
  readonly limit: number;
}

export const tenantsOfAgent: Query<Parameters, TenantId> = {
  name: 'tenants_of_agent',
  text: `
    select distinct tenant_id
      from api_keys
     where agent_id = $1
     order by tenant_id
     limit $2`,
  values: ({ agentId, limit }) => [agentId, limit],
  row: (columns) => columns.tenant_id as TenantId,
};
