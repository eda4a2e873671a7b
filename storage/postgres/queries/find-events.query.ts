import type { EventId } from '../../../domain/types.ts';
import type { EventRef } from '../../event-log.ts';
import type { Query } from '../query.ts';

export const findEvents: Query<{ storeNumber: number; eventIds: readonly EventId[] }, EventRef> = {
  name: 'find_events',
  text: `
    select event_id, sequence, request_id
      from legacy_events where store_number = $1 and event_id = any ($2::uuid[])`,
  values: ({ storeNumber, eventIds }) => [storeNumber, eventIds],
  row: (columns) => ({
    eventId: columns.event_id as EventRef['eventId'],
    sequence: columns.sequence as EventRef['sequence'],
    requestId: columns.request_id as EventRef['requestId'],
  }),
};
