import type { DueRule, DueStream } from '../../commitment-log.ts';
import type { Query } from '../query.ts';

/**
 * Streams with more to commit than the rule allows. Reads the row of every store, whose heads have no index, since every
 * append changes them.
 */
export const dueStreams: Query<DueRule & { readonly streamsMax: number }, DueStream> = {
  name: 'due_streams',
  text: `
    select * from (
      select s.tenant_id, s.store_id, w.world, coalesce(c.sequence_end, 0) as committed_to,
             w.head - coalesce(c.sequence_end, 0) as waiting,
             coalesce($2::integer is not null and case w.world
               when 'legacy' then (select e.sequenced_at from legacy_events e
                    where e.store_number = s.store_number and e.sequence > coalesce(c.sequence_end, 0)
                      order by e.sequence limit 1)
               else (select e.sequenced_at from ves_events e
                    where e.store_number = s.store_number and e.sequence > coalesce(c.sequence_end, 0)
                      order by e.sequence limit 1)
             end <= clock_timestamp() - make_interval(secs => $2), false) as is_aged
        from streams s
       cross join lateral (values ('legacy' collate "C", s.legacy_head), ('ves', s.ves_head)) as w (world, head)
        left join commitment_chains c on c.store_number = s.store_number and c.world = w.world
       where w.head > coalesce(c.sequence_end, 0)
         and (s.tenant_id, s.store_id, w.world) not in (
             select * from unnest($3::uuid[], $4::uuid[], $5::text[]))) as found
     where is_aged or waiting >= $1::bigint
     limit $6`,
  values: ({ events, ageSecs, except, streamsMax }) => [
    events,
    ageSecs,
    except.map(({ tenantId }) => tenantId),
    except.map(({ storeId }) => storeId),
    except.map(({ world }) => world),
    streamsMax,
  ],
  row: (columns) =>
    ({
      tenantId: columns.tenant_id,
      storeId: columns.store_id,
      world: columns.world,
      committedTo: columns.committed_to,
      isAged: columns.is_aged,
    }) as DueStream,
};
