import type { Query } from '../query.ts';

/** How many events of the store that is furthest behind are not in its entity counts yet. */
export const countingLag: Query<null, number> = {
  name: 'counting_lag',
  text: `
    select coalesce(max(s.legacy_head - coalesce(w.legacy_sequence, 0) + s.ves_head - coalesce(w.ves_sequence, 0)), 0)::bigint
             as uncounted_max
      from streams s left join entity_watermarks w using (store_number)`,
  values: () => [],
  row: (columns) => columns.uncounted_max as number,
};
