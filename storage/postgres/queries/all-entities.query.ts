import type { EntityState } from '../../../domain/commitment.ts';
import type { EntityVersion } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/**
 * Opens a cursor over every entity of a store and its exact version: what is counted up to the watermark, and what came
 * after. The columns sort by their bytes (collate "C"). The cursor lives as long as the transaction.
 */
export const openEntities: Query<{ readonly storeNumber: number }, never> = {
  name: 'open_entities',
  text: `
    declare entities no scroll cursor for
    select entity_type, entity_id, sum(events)::bigint as version from (
      select entity_type, entity_id, legacy_count + ves_count as events from entity_counts where store_number = $1
      union all
      select entity_type, entity_id, 1 from legacy_events
       where store_number = $1 and sequence > coalesce(
             (select legacy_sequence from entity_watermarks where store_number = $1), 0)
      union all
      select entity_type, entity_id, 1 from ves_events
       where store_number = $1 and sequence > coalesce(
             (select ves_sequence from entity_watermarks where store_number = $1), 0)) as counted
     group by entity_type, entity_id order by entity_type, entity_id`,
  values: ({ storeNumber }) => [storeNumber],
  row: (columns) => columns as never,
};

/** The next entities of the cursor; none when it is at its end. */
export const fetchEntities: Query<null, EntityState> = {
  name: 'fetch_entities',
  text: `fetch 5000 from entities`,
  values: () => [],
  row: (columns) => ({
    entityType: columns.entity_type as string,
    entityId: columns.entity_id as string,
    version: columns.version as EntityVersion,
  }),
};
