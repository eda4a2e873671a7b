import type { TenantId } from '../../domain/types.ts';
import type { Query } from './query.ts';

export interface TenantParameters {
  readonly tenantId: TenantId | null;
  readonly limit: number;
}

/**
 * A query about one tenant or all of them: two statements, since the plan for one tenant uses an index that the plan for
 * all has no use for, and a prepared statement keeps its plan.
 * @param text given the condition for its `where`; `$1` is the tenant and `$2` the limit
 */
export function tenantQuery<Row>(
  name: string,
  text: (ofTenant: string) => string,
  row: Query<TenantParameters, Row>['row'],
): (tenantId: TenantId | null) => Query<TenantParameters, Row> {
  const values = ({ tenantId, limit }: TenantParameters): unknown[] => [tenantId, limit];
  const ofAll = { name, text: text('$1::uuid is null'), values, row };
  const ofOne = { name: `${name}_of_tenant`, text: text('tenant_id = $1'), values, row };
  return (tenantId) => (tenantId === null ? ofAll : ofOne);
}

/** Fence rows with how far each is projected. */
export const projectedStreams = `
  streams left join projection_checkpoints using (store_number)
          cross join (select exists (select from projection_checkpoints) as any_projected) p`;

/** Of one of them. Erased stores have nothing to project; where nobody projects, nothing is behind. */
export const projectionLag = `
  case when any_projected and not erased then legacy_head - coalesce(last_sequence, 0) else 0 end`;

/** Aggregates over projectedStreams, for StoreTotals. */
export const storeTotals = `
  count(*) as stores,
  least(coalesce(sum(legacy_head), 0), 9007199254740991)::bigint as total_head,
  count(*) filter (where last_sequenced_at > now() - interval '24 hours') as active_stores,
  max(last_sequenced_at) as last_activity_at,
  coalesce(max(${projectionLag}), 0) as projection_lag_max`;

/** Aggregates over API keys, for KeyTotals. */
export const keyTotals = `
  count(distinct (tenant_id, agent_id)) filter (where agent_id is not null) as agents,
  count(*) as api_keys,
  count(*) filter (where active) as active_api_keys`;
