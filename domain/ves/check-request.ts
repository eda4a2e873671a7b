import { checkRequest } from '../check-request.ts';
import type { RequestLimits, RequestPrincipal } from '../check-request.ts';
import { Refused } from '../errors.ts';
import type { VesEventInRequest, VesRequest } from './read-request.ts';

/**
 * The checks that refuse a whole VES request, in their published order (http-api 8.1). Unlike in a legacy request, there
 * must be an event.
 * @throws Refused with `INVALID_FIELD_VALUE`, `INSUFFICIENT_PERMISSIONS` or `PAYLOAD_TOO_LARGE`
 */
export function checkVesRequest(
  request: VesRequest,
  principal: RequestPrincipal,
  limits: RequestLimits,
): void {
  firstEventOf(request);
  const wireNames = { agent: 'agentId', sourceAgent: 'source_agent_id' };
  checkRequest({ ...request, wireNames }, principal, limits);
  request.events.forEach(({ payloadKind, payload }, index) => {
    if (payload.length > 0) return;
    const field = payloadKind === 0 ? 'payload' : 'payload_encrypted';
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `events[${index}] has payload_kind ${payloadKind} and no ${field}`,
    );
  });
}

/** The event that says which store the request is for. @throws Refused when there is none */
export function firstEventOf({ events }: VesRequest): VesEventInRequest {
  const [first] = events;
  if (first !== undefined) return first;
  throw new Refused('INVALID_FIELD_VALUE', 'events is empty; a request has at least one event');
}
