import type { StoreId, TenantId } from '../../../domain/types.ts';
import type { ProjectionFigures, StreamProgress } from '../../projections.ts';
import type { Query } from '../query.ts';

interface ProgressParameters {
  readonly tenantId: TenantId | null;
  readonly storeId: StoreId | null;
  readonly limit: number;
}

interface StalledParameters extends ProgressParameters {
  readonly stalledSecs: number;
}

/** Of one look at what stands still: each costs the look-up of an event. */
const stalledLooksMax = 5_000;

/** Since when the next event of a stream could have been projected; null when there is none. A sub-select, so that no plan reads all events. */
const waitingSince = `
  case when s.legacy_head > coalesce(c.last_sequence, 0) then greatest(c.updated_at, (
         select e.sequenced_at from legacy_events e
          where e.store_number = s.store_number and e.sequence = coalesce(c.last_sequence, 0) + 1)) end`;

/** Cheap conditions that every stream meets which stands still for $N seconds: most streams are left out without a look at events. */
const mayStandStill = (parameter: string): string => `
  s.legacy_head > coalesce(c.last_sequence, 0) and not s.erased
  and (c.updated_at is null or c.updated_at < now() - make_interval(secs => ${parameter}))`;

/** Dead letters are counted for the streams of the page alone. */
function progressText(chosen: string, order: string): string {
  return `
    select p.*, (select count(*) from dead_letter_events d
                  where d.store_number = p.store_number and d.status <> 'resolved') as dead_letters
      from (select s.store_number, s.tenant_id, s.store_id, s.legacy_head as head,
                   coalesce(c.last_sequence, 0) as last_sequence, coalesce(c.applied, 0) as applied,
                   coalesce(c.refused, 0) as refused, coalesce(c.skipped, 0) as skipped, c.updated_at,
                   case when c.rebuilding_to > c.last_sequence then c.rebuilding_to end as rebuilding_to,
                   ${waitingSince} as waiting_since
              from streams s left join projection_checkpoints c using (store_number)
             where ($1::uuid is null or s.tenant_id = $1) and ($2::uuid is null or s.store_id = $2)
               and s.legacy_head > 0 and not s.erased ${chosen}
             order by ${order}
             limit $3) p`;
}

const progressRow = (columns: Readonly<Record<string, unknown>>): StreamProgress =>
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
    waitingSince: columns.waiting_since,
  }) as StreamProgress;

/** Reads every fence row, as the lists of administrators do. */
export const listProjectionProgress: Query<ProgressParameters, StreamProgress> = {
  name: 'list_projection_progress',
  text: `${progressText('', 's.legacy_head - coalesce(c.last_sequence, 0) desc, s.tenant_id, s.store_id')}
     order by head - last_sequence desc, tenant_id, store_id`,
  values: ({ tenantId, storeId, limit }) => [tenantId, storeId, limit],
  row: progressRow,
};

/** The same of streams that stand still. */
export const listStalledProjections: Query<StalledParameters, StreamProgress> = {
  name: 'list_stalled_projections',
  text: `${progressText(
    `and ${mayStandStill('$4')} and ${waitingSince} < now() - make_interval(secs => $4)`,
    'waiting_since, s.tenant_id, s.store_id',
  )}
     order by waiting_since, tenant_id, store_id`,
  values: ({ tenantId, storeId, limit, stalledSecs }) => [tenantId, storeId, limit, stalledSecs],
  row: progressRow,
};

export const projectionFigures: Query<{ readonly stalledSecs: number }, ProjectionFigures> = {
  name: 'projection_figures',
  text: `
    with candidates as (
      select s.store_number from streams s left join projection_checkpoints c using (store_number)
       where ${mayStandStill('$1')}
       order by c.updated_at limit ${stalledLooksMax}),
    stalled as (
      select count(*) as streams, coalesce(extract(epoch from now() - min(waiting_since)), 0)::float8 as secs_max
        from (select ${waitingSince} as waiting_since
                from candidates join streams s using (store_number) left join projection_checkpoints c using (store_number)) w
       where waiting_since < now() - make_interval(secs => $1))
    select coalesce((select max(s.legacy_head - coalesce(c.last_sequence, 0))
                       from streams s left join projection_checkpoints c using (store_number)
                      where not s.erased), 0) as lag_max,
           (select streams from stalled) as stalled, (select secs_max from stalled) as stalled_secs_max,
           count(*) filter (where status in ('pending', 'retrying')) as pending,
           count(*) filter (where status = 'failed') as failed,
           count(*) filter (where status in ('pending', 'retrying') and next_retry_at <= now()) as due
      from dead_letter_events where status <> 'resolved'`,
  values: ({ stalledSecs }) => [stalledSecs],
  row: (columns) => ({
    lagMax: columns.lag_max as number,
    stalled: columns.stalled as number,
    stalledSecsMax: columns.stalled_secs_max as number,
    pending: columns.pending as number,
    failed: columns.failed as number,
    due: columns.due as number,
  }),
};
