import type { StoreKey } from '../../../domain/types.ts';
import type { DueClaim, ProjectedStream } from '../../projections.ts';
import { projectedStreamColumns, toProjectedStream } from '../projection-row.ts';
import type { Query } from '../query.ts';

/**
 * Streams with events that are not projected, claimed. Reads the row of every store, whose heads have no index, since every
 * append changes them. A new checkpoint locks its store's row against an erasure that may be under way, and passes by the rows
 * that one has.
 */
export const claimDueProjections: Query<DueClaim, ProjectedStream> = {
  name: 'claim_due_projections',
  text: `
    with unprojected as (
      select s.store_number from streams s
       where s.legacy_head > 0 and not s.erased and s.store_number <> all ($4::bigint[])
         and not exists (select from projection_checkpoints c where c.store_number = s.store_number)
       limit $3 for key share of s skip locked),
    started as (
      insert into projection_checkpoints (store_number, claimant, claimed_until)
      select store_number, $1, clock_timestamp() + make_interval(secs => $2) from unprojected
      on conflict do nothing
      returning store_number, last_sequence, revision),
    due as (
      select c.store_number from projection_checkpoints c join streams s using (store_number)
       where s.legacy_head > c.last_sequence and not s.erased and s.store_number <> all ($4::bigint[])
         and (c.claimed_until is null or c.claimed_until < clock_timestamp() or c.claimant = $1)
       order by c.updated_at
       limit $3 for update of c skip locked),
    claimed as (
      update projection_checkpoints c
         set claimant = $1, claimed_until = clock_timestamp() + make_interval(secs => $2)
        from due where c.store_number = due.store_number
      returning c.store_number, c.last_sequence, c.revision)
    select ${projectedStreamColumns}
      from streams s join (select * from started union all select * from claimed) c using (store_number)`,
  values: ({ claimant, claimSecs, streamsMax, except }) => [claimant, claimSecs, streamsMax, except],
  row: toProjectedStream,
};

export const findProjectedStream: Query<StoreKey, ProjectedStream> = {
  name: 'find_projected_stream',
  text: `
    select ${projectedStreamColumns}
      from streams s join projection_checkpoints c using (store_number)
     where s.tenant_id = $1 and s.store_id = $2 and not s.erased`,
  values: ({ tenantId, storeId }) => [tenantId, storeId],
  row: toProjectedStream,
};
