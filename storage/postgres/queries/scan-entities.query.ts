import type { Query } from '../query.ts';

/** An entity whose counted events are not those that there are. */
export interface MiscountedEntity {
  readonly entityType: string;
  readonly entityId: string;
  readonly legacyCounted: number;
  readonly vesCounted: number;
  readonly legacyEvents: number;
  readonly vesEvents: number;
}

/** Compares what is counted of a store's entities up to the watermark with the events up to it. */
export const scanEntities: Query<{ storeNumber: number }, MiscountedEntity> = {
  name: 'scan_entities',
  text: `
    with watermark as (
      select coalesce(max(legacy_sequence), 0) as legacy, coalesce(max(ves_sequence), 0) as ves
        from entity_watermarks where store_number = $1),
    found as (
      select entity_hash, entity_type, entity_id, sum(legacy) as legacy, sum(ves) as ves from (
        select entity_hash, entity_type, entity_id, 1 as legacy, 0 as ves from legacy_events, watermark
         where store_number = $1 and sequence <= watermark.legacy
        union all
        select entity_hash, entity_type, entity_id, 0, 1 from ves_events, watermark
         where store_number = $1 and sequence <= watermark.ves) as events
       group by entity_hash, entity_type, entity_id),
    counted as (
      select entity_hash, entity_type, entity_id, legacy_count, ves_count
        from entity_counts where store_number = $1)
    select entity_type, entity_id, coalesce(legacy_count, 0) as legacy_counted,
           coalesce(ves_count, 0) as ves_counted, coalesce(legacy, 0)::bigint as legacy_events,
           coalesce(ves, 0)::bigint as ves_events
      from counted full join found using (entity_hash, entity_type, entity_id)
     where coalesce(legacy_count, 0) <> coalesce(legacy, 0) or coalesce(ves_count, 0) <> coalesce(ves, 0)
     order by entity_type, entity_id limit 100`,
  values: ({ storeNumber }) => [storeNumber],
  row: (columns) => ({
    entityType: columns.entity_type as string,
    entityId: columns.entity_id as string,
    legacyCounted: columns.legacy_counted as number,
    vesCounted: columns.ves_counted as number,
    legacyEvents: columns.legacy_events as number,
    vesEvents: columns.ves_events as number,
  }),
};
