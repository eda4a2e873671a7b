import type { EventId, Sequence, StoreKey } from '../../../domain/types.ts';
import type { StoredVesEvent } from '../../../domain/ves/event.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { Query } from '../query.ts';
import { toVesRow, vesEventColumns } from '../ves-event-row.ts';

export const readVes: Query<StoreKey & { from: Sequence; to: Sequence }, EventRow<StoredVesEvent>> = {
  name: 'read_ves',
  text: `
    select ${vesEventColumns}
      from streams s join ves_events e using (store_number)
     where s.tenant_id = $1 and s.store_id = $2 and e.sequence between $3 and $4
     order by e.sequence`,
  values: ({ tenantId, storeId, from, to }) => [tenantId, storeId, from, to],
  row: toVesRow,
};

export const readVesEvent: Query<StoreKey & { eventId: EventId }, EventRow<StoredVesEvent>> = {
  name: 'read_ves_event',
  text: `
    select ${vesEventColumns}
      from streams s join ves_events e using (store_number)
     where s.tenant_id = $1 and s.store_id = $2 and e.event_id = $3`,
  values: ({ tenantId, storeId, eventId }) => [tenantId, storeId, eventId],
  row: toVesRow,
};
