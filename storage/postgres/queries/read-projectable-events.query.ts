import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { EventId } from '../../../domain/types.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { ProjectedStream, ReadBounds } from '../../projections.ts';
import { legacyEventColumns, toLegacyRow } from '../legacy-event-row.ts';
import type { Query } from '../query.ts';

/** The events after a sequence, until their payloads together pass a bound. */
export const readProjectableEvents: Query<ProjectedStream & ReadBounds, EventRow<StoredLegacyEvent>> = {
  name: 'read_projectable_events',
  text: `
    select ${legacyEventColumns}
      from streams s
      join (select l.*, sum(octet_length(l.payload)) over (order by l.sequence) - octet_length(l.payload) as bytes_before
              from legacy_events l
             where l.store_number = $1 and l.sequence > $2 and l.sequence <= $2 + $3::bigint) e using (store_number)
     where e.bytes_before < $4::bigint
     order by e.sequence`,
  values: ({ storeNumber, lastSequence, eventsMax, bytesMax }) => [
    storeNumber,
    lastSequence,
    eventsMax,
    bytesMax,
  ],
  row: toLegacyRow,
};

export const readProjectableEvent: Query<
  { readonly storeNumber: number; readonly eventId: EventId },
  EventRow<StoredLegacyEvent>
> = {
  name: 'read_projectable_event',
  text: `
    select ${legacyEventColumns}
      from streams s join legacy_events e using (store_number)
     where e.store_number = $1 and e.event_id = $2`,
  values: ({ storeNumber, eventId }) => [storeNumber, eventId],
  row: toLegacyRow,
};
