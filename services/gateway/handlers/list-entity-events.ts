import { nameLimits } from '../../../domain/check-request.ts';
import { Refused } from '../../../domain/errors.ts';
import { writeEntityHistory } from '../../../domain/legacy/response.ts';
import { sequenceMax } from '../../../domain/types.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import { jsonTextReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { heldBytes, permittedStore } from './reading.ts';

export const entityEventsLimitMax = 100;

/** A page of the legacy events of one entity, ascending by sequence. */
export function listEntityEvents(
  events: Pick<EventLog, 'readLegacyEntity'>,
): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const query = request.query();
    const store = permittedStore(query, request.principal, 'read');
    const entity = {
      entityType: entityName(request, 'entity_type', nameLimits.entityType.bytesMax),
      entityId: entityName(request, 'entity_id', nameLimits.entityId.bytesMax),
    };
    const from = query.u64('from', 0n);
    // No entity has that many events, so all offsets beyond are the same to us.
    const offset = Number(from > BigInt(sequenceMax) ? sequenceMax : from);
    const limit = Math.min(
      query.u32('limit', entityEventsLimitMax) || entityEventsLimitMax,
      entityEventsLimitMax,
    );
    const page = await events.readLegacyEntity(store, entity, { offset, limit });
    request.reserve(page.events.reduce((sum, event) => sum + heldBytes(event), 0));
    return jsonTextReply(writeEntityHistory({ ...entity, ...page, offset }));
  };
}

function entityName(request: ProtectedRequest, parameter: string, bytesMax: number): string {
  const name = request.pathParameter(parameter);
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > bytesMax) {
    throw new Refused(
      'INVALID_QUERY',
      `the path parameter ${parameter} has ${bytes} bytes; accepted are 1 to ${bytesMax}`,
    );
  }
  if (name.includes('\0')) {
    throw new Refused(
      'INVALID_QUERY',
      `the path parameter ${parameter} has U+0000 in it, as no stored name has`,
    );
  }
  return name;
}
