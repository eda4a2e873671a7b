import type { CommitmentLag } from '../../commitment-log.ts';
import type { Query } from '../query.ts';

/**
 * How far commitments are behind. Reads the row of every store and, of each stream that is behind, one event by its
 * primary key; no other events. A plan made while the tables are empty stays for as long as the session: it is the order
 * that makes it use that key and not another index that begins with the store.
 */
export const commitmentLag: Query<null, CommitmentLag> = {
  name: 'commitment_lag',
  text: `
    select least(coalesce(sum(w.head), 0), 9007199254740991)::bigint as events,
           least(coalesce(sum(w.head - w.committed), 0), 9007199254740991)::bigint as uncommitted,
           coalesce(max(w.head - w.committed), 0)::bigint as uncommitted_max,
           greatest(0, coalesce(extract(epoch from clock_timestamp() - min(w.oldest)), 0))::double precision as oldest_secs
      from (select h.head, coalesce(c.sequence_end, 0) as committed,
                   case when h.head <= coalesce(c.sequence_end, 0) then null
                     when h.world = 'legacy' then (select e.sequenced_at from legacy_events e
                       where e.store_number = s.store_number and e.sequence > coalesce(c.sequence_end, 0)
                      order by e.sequence limit 1)
                     else (select e.sequenced_at from ves_events e
                       where e.store_number = s.store_number and e.sequence > coalesce(c.sequence_end, 0)
                      order by e.sequence limit 1)
                   end as oldest
              from streams s
             cross join lateral (values ('legacy' collate "C", s.legacy_head), ('ves', s.ves_head)) as h (world, head)
              left join commitment_chains c on c.store_number = s.store_number and c.world = h.world) as w`,
  values: () => [],
  row: (columns) =>
    ({
      events: columns.events,
      uncommittedEvents: columns.uncommitted,
      uncommittedEventsMax: columns.uncommitted_max,
      oldestSecs: columns.oldest_secs,
    }) as CommitmentLag,
};
