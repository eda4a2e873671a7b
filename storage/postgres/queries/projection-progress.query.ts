import type { StoreId, TenantId } from '../../../domain/types.ts';
import type { ProjectionFigures, StreamProgress } from '../../projections.ts';
import type { Query } from '../query.ts';

interface ProgressParameters {
  readonly tenantId: TenantId | null;
  readonly storeId: StoreId | null;
  readonly limit: number;
}

/** Reads every fence row, as the lists of administrators do; dead letters are counted for the streams of the page alone. */
export const listProjectionProgress: Query<ProgressParameters, StreamProgress> = {
  name: 'list_projection_progress',
  text: `
    select p.*, (select count(*) from dead_letter_events d
                  where d.store_number = p.store_number and d.status <> 'resolved') as dead_letters
      from (select s.store_number, s.tenant_id, s.store_id, s.legacy_head as head,
                   coalesce(c.last_sequence, 0) as last_sequence, coalesce(c.applied, 0) as applied,
                   coalesce(c.refused, 0) as refused, coalesce(c.skipped, 0) as skipped, c.updated_at,
                   case when c.rebuilding_to > c.last_sequence then c.rebuilding_to end as rebuilding_to
              from streams s left join projection_checkpoints c using (store_number)
             where ($1::uuid is null or s.tenant_id = $1) and ($2::uuid is null or s.store_id = $2)
               and s.legacy_head > 0 and not s.erased
             order by s.legacy_head - coalesce(c.last_sequence, 0) desc, s.tenant_id, s.store_id
             limit $3) p
     order by head - last_sequence desc, tenant_id, store_id`,
  values: ({ tenantId, storeId, limit }) => [tenantId, storeId, limit],
  row: (columns) =>
    ({
      tenantId: columns.tenant_id,
      storeId: columns.store_id,
      head: columns.head,
      lastSequence: columns.last_sequence,
      rebuildingTo: columns.rebuilding_to,
      applied: columns.applied,
      refused: columns.refused,
      skipped: columns.skipped,
      deadLetters: columns.dead_letters,
      updatedAt: columns.updated_at,
    }) as StreamProgress,
};

export const projectionFigures: Query<null, ProjectionFigures> = {
  name: 'projection_figures',
  text: `
    select coalesce((select max(s.legacy_head - coalesce(c.last_sequence, 0))
                       from streams s left join projection_checkpoints c using (store_number)
                      where not s.erased), 0) as lag_max,
           count(*) filter (where status in ('pending', 'retrying')) as pending,
           count(*) filter (where status = 'failed') as failed,
           count(*) filter (where status in ('pending', 'retrying') and next_retry_at <= now()) as due
      from dead_letter_events where status <> 'resolved'`,
  values: () => [],
  row: (columns) => ({
    lagMax: columns.lag_max as number,
    pending: columns.pending as number,
    failed: columns.failed as number,
    due: columns.due as number,
  }),
};
