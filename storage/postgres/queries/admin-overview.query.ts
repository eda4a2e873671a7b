import type { Overview } from '../../admin-view.ts';
import { keyTotals, projectedStreams, storeTotals, tenantQuery } from '../tenant-query.ts';

export const adminOverview = tenantQuery<Overview>(
  'admin_overview',
  (ofTenant) => `
    select k.*, s.*
      from (select count(distinct tenant_id) as tenants, ${keyTotals} from api_keys where ${ofTenant}) k,
           (select ${storeTotals} from ${projectedStreams} where ${ofTenant}) s
     limit $2`,
  (columns) =>
    ({
      tenants: columns.tenants,
      stores: columns.stores,
      agents: columns.agents,
      apiKeys: columns.api_keys,
      activeApiKeys: columns.active_api_keys,
      totalHead: columns.total_head,
      activeStores: columns.active_stores,
      lastActivityAt: columns.last_activity_at,
      projectionLagMax: columns.projection_lag_max,
    }) as Overview,
);
