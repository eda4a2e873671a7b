import type { Query } from '../query.ts';

/** Lets `countEntities` begin: it needs a row to lock. */
export const startWatermark: Query<{ readonly storeNumber: number }, never> = {
  name: 'start_watermark',
  text: `insert into entity_watermarks (store_number) values ($1) on conflict (store_number) do nothing`,
  values: ({ storeNumber }) => [storeNumber],
  row: (columns) => columns as never,
};

/**
 * Counts the entities of up to `eventsMax` events of each world after the watermark, and moves it, all or nothing. Anyone may run it
 * at any time: the watermark's row is locked, and whoever waited for it goes on from where the other came. Returns how
 * many events were counted; fewer than `eventsMax` means that none are left.
 */
export const countEntities: Query<
  { readonly storeNumber: number; readonly eventsMax: number },
  { readonly counted: number }
> = {
  name: 'count_entities',
  text: `
    with reach as (
      select w.store_number,
             w.legacy_sequence as legacy_from, w.ves_sequence as ves_from,
             greatest(w.legacy_sequence, least(w.legacy_sequence + $2, s.legacy_head)) as legacy_to,
             greatest(w.ves_sequence, least(w.ves_sequence + $2, s.ves_head)) as ves_to
        from entity_watermarks w join streams s using (store_number)
       where w.store_number = $1 for update of w),
    moved as (
      update entity_watermarks w set legacy_sequence = reach.legacy_to, ves_sequence = reach.ves_to
        from reach where w.store_number = reach.store_number),
    fresh as (
      select l.store_number, l.entity_hash, l.entity_type, l.entity_id, 1 as legacy, 0 as ves
        from reach join legacy_events l on l.store_number = reach.store_number
         and l.sequence > reach.legacy_from and l.sequence <= reach.legacy_to
      union all
      select v.store_number, v.entity_hash, v.entity_type, v.entity_id, 0, 1
        from reach join ves_events v on v.store_number = reach.store_number
         and v.sequence > reach.ves_from and v.sequence <= reach.ves_to),
    counted as (
      insert into entity_counts as c (store_number, entity_hash, entity_type, entity_id, legacy_count, ves_count)
      select store_number, entity_hash, entity_type, entity_id, sum(legacy), sum(ves)
        from fresh group by 1, 2, 3, 4 order by 1, 2, 3, 4
      on conflict (store_number, entity_hash, entity_type, entity_id)
      do update set legacy_count = c.legacy_count + excluded.legacy_count,
                    ves_count = c.ves_count + excluded.ves_count)
    select greatest(legacy_to - legacy_from, ves_to - ves_from) as counted from reach`,
  values: ({ storeNumber, eventsMax }) => [storeNumber, eventsMax],
  row: (columns) => ({ counted: columns.counted as number }),
};
