import type { TenantSummary } from '../../admin-view.ts';
import { keyTotals, projectedStreams, storeTotals, tenantQuery } from '../tenant-query.ts';

export const adminTenants = tenantQuery<TenantSummary>(
  'admin_tenants',
  (ofTenant) => `
    with k as (select tenant_id, ${keyTotals}, max(created_at) as last_key_at
                 from api_keys where ${ofTenant} group by tenant_id),
         s as (select tenant_id, ${storeTotals} from ${projectedStreams} where ${ofTenant} group by tenant_id)
    select tenant_id, agents, api_keys, active_api_keys, last_key_at, last_activity_at,
           coalesce(stores, 0) as stores, coalesce(total_head, 0) as total_head,
           coalesce(active_stores, 0) as active_stores, coalesce(projection_lag_max, 0) as projection_lag_max
      from k left join s using (tenant_id)
     order by greatest(last_activity_at, last_key_at) desc, tenant_id
     limit $2`,
  (columns) =>
    ({
      tenantId: columns.tenant_id,
      agents: columns.agents,
      apiKeys: columns.api_keys,
      activeApiKeys: columns.active_api_keys,
      stores: columns.stores,
      totalHead: columns.total_head,
      activeStores: columns.active_stores,
      lastKeyAt: columns.last_key_at,
      lastActivityAt: columns.last_activity_at,
      projectionLagMax: columns.projection_lag_max,
    }) as TenantSummary,
);
