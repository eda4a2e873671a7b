import type { CommandId } from '../../../domain/types.ts';
import type { EventRef } from '../../event-log.ts';
import type { Query } from '../query.ts';

/** The command ids that are in use, each with the event that used it. */
export const findCommands: Query<
  { storeNumber: number; commandIds: readonly CommandId[] },
  EventRef & { readonly commandId: CommandId }
> = {
  name: 'find_commands',
  text: `
    select command_id, event_id, sequence, request_id
      from legacy_events where store_number = $1 and command_id = any ($2::uuid[])`,
  values: ({ storeNumber, commandIds }) => [storeNumber, commandIds],
  row: (columns) => ({
    commandId: columns.command_id as CommandId,
    eventId: columns.event_id as EventRef['eventId'],
    sequence: columns.sequence as EventRef['sequence'],
    requestId: columns.request_id as EventRef['requestId'],
  }),
};
