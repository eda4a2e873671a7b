import type { StoreKey, TenantId } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/**
 * The first statement of a reset. The others must come after it and not with it: only then do they see what whoever held the
 * checkpoint has added.
 */
export const resetCheckpoint: Query<StoreKey, number> = {
  name: 'reset_checkpoint',
  text: `
    insert into projection_checkpoints as c (store_number, rebuilding_to)
    select store_number, legacy_head from streams where tenant_id = $1 and store_id = $2 and not erased for key share
    on conflict (store_number) do update
       set last_sequence = 0, revision = c.revision + 1, rebuilding_to = excluded.rebuilding_to, applied = 0, refused = 0,
           skipped = 0, claimant = null, claimed_until = null, updated_at = clock_timestamp()
    returning store_number`,
  values: ({ tenantId, storeId }) => [tenantId, storeId],
  row: (columns) => columns.store_number as number,
};

/** What is projected of some stores; their checkpoints must be held. */
export const deleteProjections: Query<{ readonly storeNumbers: readonly number[] }, null> = {
  name: 'delete_projections',
  text: `
    with entities as (delete from projected_entities where store_number = any ($1::bigint[])),
    rejected as (delete from rejected_events_log where store_number = any ($1::bigint[]))
    delete from dead_letter_events where store_number = any ($1::bigint[])`,
  values: ({ storeNumbers }) => [storeNumbers],
  row: () => null,
};

/** The first statement of deleting all projections of a tenant, for good. */
export const deleteCheckpoints: Query<{ readonly tenantId: TenantId }, number> = {
  name: 'delete_checkpoints',
  text: `
    delete from projection_checkpoints c using streams s
     where s.tenant_id = $1 and c.store_number = s.store_number
    returning c.store_number`,
  values: ({ tenantId }) => [tenantId],
  row: (columns) => columns.store_number as number,
};
