import type { EventLog } from '../../../storage/event-log.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { permittedStore } from './reading.ts';

/** The head of a store's legacy stream; 0 when there is none. */
export function readHead(events: Pick<EventLog, 'heads'>): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ query, principal }) => {
    const { legacy } = await events.heads(permittedStore(query(), principal, 'read'));
    return jsonReply({ head_sequence: legacy });
  };
}
