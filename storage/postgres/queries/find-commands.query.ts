import type { CommandId, World } from '../../../domain/types.ts';
import type { EventRef } from '../../event-log.ts';
import type { Query } from '../query.ts';

type FindCommands = Query<
  { storeNumber: number; commandIds: readonly CommandId[] },
  EventRef & { readonly commandId: CommandId }
>;

/** The command ids that are in use in a stream, each with the event that used it. */
export const findCommands: Readonly<Record<World, FindCommands>> = {
  legacy: findCommandsIn('legacy_events'),
  ves: findCommandsIn('ves_events'),
};

function findCommandsIn(table: string): FindCommands {
  return {
    name: `find_commands_${table}`,
    text: `
    select command_id, event_id, sequence, request_id
      from ${table} where store_number = $1 and command_id = any ($2::uuid[])`,
    values: ({ storeNumber, commandIds }) => [storeNumber, commandIds],
    row: (columns) => ({
      commandId: columns.command_id as CommandId,
      eventId: columns.event_id as EventRef['eventId'],
      sequence: columns.sequence as EventRef['sequence'],
      requestId: columns.request_id as EventRef['requestId'],
    }),
  };
}
