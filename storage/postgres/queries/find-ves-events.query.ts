import type { EventId } from '../../../domain/types.ts';
import type { StoredVesEvent } from '../../../domain/ves/event.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { Query } from '../query.ts';
import { toVesRow, vesEventColumns } from '../ves-event-row.ts';

export const findVesEvents: Query<
  { storeNumber: number; eventIds: readonly EventId[] },
  EventRow<StoredVesEvent>
> = {
  name: 'find_ves_events',
  text: `
    select ${vesEventColumns}
      from streams s join ves_events e using (store_number)
     where s.store_number = $1 and e.event_id = any ($2::uuid[])`,
  values: ({ storeNumber, eventIds }) => [storeNumber, eventIds],
  row: toVesRow,
};
