import { type VesResponseContext, writeVesEvent } from '../../../domain/ves/response.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import { jsonTextReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { pathUuid, permittedStore } from './reading.ts';

/** One signed event with its receipt. An id is unique within a stream only, so the store is named as well. */
export function readVesEvent(
  events: Pick<EventLog, 'readVesEvent'>,
  context: VesResponseContext,
): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const eventId = pathUuid(request, 'event_id');
    const store = permittedStore(request.query(), request.principal, 'read');
    const event = await events.readVesEvent(store, eventId);
    if (event === null) return textReply(404, `the stream has no event ${eventId}`);
    request.reserve(2 * (event.payload?.length ?? 0));
    return jsonTextReply(writeVesEvent(event, context));
  };
}
