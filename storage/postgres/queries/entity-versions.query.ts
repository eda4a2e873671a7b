import type { EntityVersion } from '../../../domain/types.ts';
import type { EntityKey } from '../../event-log.ts';
import { entityHash } from '../entity-hash.ts';
import type { Query } from '../query.ts';

/** One row for each entity, in the order given: its events up to the watermark plus those after it. */
export const entityVersions: Query<{ storeNumber: number; entities: readonly EntityKey[] }, EntityVersion> = {
  name: 'entity_versions',
  text: `
    select coalesce(c.legacy_count + c.ves_count, 0) + legacy_after.events + ves_after.events as version
      from unnest($2::bigint[], $3::text[], $4::text[]) with ordinality
             as e (entity_hash, entity_type, entity_id, place)
      left join entity_watermarks w on w.store_number = $1
      left join entity_counts c on c.store_number = $1 and c.entity_hash = e.entity_hash
            and c.entity_type = e.entity_type and c.entity_id = e.entity_id
      cross join lateral (
        select count(*) as events from legacy_events l
         where l.store_number = $1 and l.entity_hash = e.entity_hash and l.entity_type = e.entity_type
           and l.entity_id = e.entity_id and l.sequence > coalesce(w.legacy_sequence, 0)) as legacy_after
      cross join lateral (
        select count(*) as events from ves_events v
         where v.store_number = $1 and v.entity_hash = e.entity_hash and v.entity_type = e.entity_type
           and v.entity_id = e.entity_id and v.sequence > coalesce(w.ves_sequence, 0)) as ves_after
     order by e.place`,
  values: ({ storeNumber, entities }) => [
    storeNumber,
    entities.map((entity) => entityHash(entity).toString()),
    entities.map(({ entityType }) => entityType),
    entities.map(({ entityId }) => entityId),
  ],
  row: (columns) => columns.version as EntityVersion,
};
