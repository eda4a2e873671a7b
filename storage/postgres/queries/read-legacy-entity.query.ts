import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { StoreKey } from '../../../domain/types.ts';
import type { EntityKey } from '../../event-log.ts';
import { entityHash } from '../entity-hash.ts';
import { legacyEventColumns, toLegacyRow } from '../legacy-event-row.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { Query } from '../query.ts';

export type EntityPage = StoreKey & EntityKey & { readonly offset: number; readonly limit: number };

export const readLegacyEntity: Query<EntityPage, EventRow<StoredLegacyEvent>> = {
  name: 'read_legacy_entity',
  text: `
    select ${legacyEventColumns}
      from streams s join legacy_events e using (store_number)
     where s.tenant_id = $1 and s.store_id = $2
       and e.entity_hash = $3 and e.entity_type = $4 and e.entity_id = $5
     order by e.sequence offset $6 limit $7`,
  values: (page) => [
    page.tenantId,
    page.storeId,
    entityHash(page).toString(),
    page.entityType,
    page.entityId,
    page.offset,
    page.limit,
  ],
  row: toLegacyRow,
};

/** How many legacy events the entity has in all, and the head of the stream at that moment. */
export const countLegacyEntity: Query<
  StoreKey & EntityKey,
  { readonly total: number; readonly head: number }
> = {
  name: 'count_legacy_entity',
  text: `
    select coalesce(c.legacy_count, 0) + after.events as total, s.legacy_head
      from streams s
      left join entity_watermarks w using (store_number)
      left join entity_counts c on c.store_number = s.store_number and c.entity_hash = $3
            and c.entity_type = $4 and c.entity_id = $5
      cross join lateral (
        select count(*) as events from legacy_events l
         where l.store_number = s.store_number and l.entity_hash = $3 and l.entity_type = $4 and l.entity_id = $5
           and l.sequence > coalesce(w.legacy_sequence, 0)) as after
     where s.tenant_id = $1 and s.store_id = $2`,
  values: ({ tenantId, storeId, entityType, entityId }) => [
    tenantId,
    storeId,
    entityHash({ entityType, entityId }).toString(),
    entityType,
    entityId,
  ],
  row: (columns) => ({ total: columns.total as number, head: columns.legacy_head as number }),
};
