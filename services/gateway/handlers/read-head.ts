import type { World } from '../../../domain/types.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { permittedStore } from './reading.ts';

/** The head of one of a store's streams; 0 when there is none. */
export function readHead(
  world: World,
  events: Pick<EventLog, 'heads'>,
): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ query, principal }) => {
    const { [world]: head } = await events.heads(permittedStore(query(), principal, 'read'));
    return jsonReply({ head_sequence: head });
  };
}
