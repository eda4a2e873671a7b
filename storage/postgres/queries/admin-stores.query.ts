import type { StoreSummary } from '../../admin-view.ts';
import { projectedStreams, projectionLag, tenantQuery } from '../tenant-query.ts';

/**
 * Reads every fence row, since an index on what each append changes would make appends dearer (migrations/0001_streams.sql).
 * Agents are counted for the stores of the page alone: first those with a key for all stores, then those with a list.
 */
export const adminStores = tenantQuery<StoreSummary>(
  'admin_stores',
  (ofTenant) => `
    with page as (
      select tenant_id, store_id, legacy_head, coalesce(last_sequenced_at, claimed_at) as active_at,
             coalesce(last_sequence, 0) as projected_to, ${projectionLag} as projection_lag
        from ${projectedStreams}
       where ${ofTenant}
       order by active_at desc, tenant_id, store_id
       limit $2),
    active as (
      select tenant_id, agent_id, store_ids
        from api_keys
       where active and agent_id is not null and tenant_id in (select tenant_id from page)),
    agents as (
      select tenant_id, agent_id, bool_or(store_ids = '{}') as everywhere from active group by tenant_id, agent_id),
    everywhere as (
      select tenant_id, count(*) as agents from agents where everywhere group by tenant_id),
    listed as (
      select tenant_id, store_id, count(distinct agent_id) as agents
        from active join agents using (tenant_id, agent_id), unnest(store_ids) as stores (store_id)
       where not everywhere
       group by tenant_id, store_id)
    select page.*, coalesce(everywhere.agents, 0) + coalesce(listed.agents, 0) as agents
      from page left join everywhere using (tenant_id) left join listed using (tenant_id, store_id)
     order by active_at desc, tenant_id, store_id`,
  (columns) =>
    ({
      tenantId: columns.tenant_id,
      storeId: columns.store_id,
      head: columns.legacy_head,
      agents: columns.agents,
      projectedTo: columns.projected_to,
      projectionLag: columns.projection_lag,
      updatedAt: columns.active_at,
    }) as StoreSummary,
);
