import type { AgentSummary } from '../../admin-view.ts';
import { tenantQuery } from '../tenant-query.ts';

export const adminAgents = tenantQuery<AgentSummary>(
  'admin_agents',
  (ofTenant) => `
    select tenant_id, agent_id,
           (array_agg(case when is_admin then 'admin' when can_write then 'read_write' else 'read' end
                      order by updated_at desc, key_hash desc))[1] as permissions,
           (array_agg(store_ids = '{}' order by updated_at desc, key_hash desc))[1] as all_stores,
           count(*) as api_keys,
           count(*) filter (where active) as active_api_keys,
           min(created_at) as first_key_at,
           max(created_at) as last_key_at
      from api_keys
     where ${ofTenant} and agent_id is not null
     group by tenant_id, agent_id
     order by last_key_at desc, tenant_id, agent_id
     limit $2`,
  (columns) =>
    ({
      tenantId: columns.tenant_id,
      agentId: columns.agent_id,
      permissions: columns.permissions,
      allStores: columns.all_stores,
      apiKeys: columns.api_keys,
      activeApiKeys: columns.active_api_keys,
      firstKeyAt: columns.first_key_at,
      lastKeyAt: columns.last_key_at,
    }) as AgentSummary,
);
