import { utf8Length } from '../bytes.ts';
import { Refused } from '../errors.ts';
import type { AgentId } from '../types.ts';
import type { LegacyEventInRequest, LegacyRequest } from './read-request.ts';

/** What the checks must know of the caller. */
export interface LegacyRequestPrincipal {
  /** The agent that the credential is bound to, or null when it is not bound. */
  readonly agentId: AgentId | null;
  /** Whether the credential may write to the store of the request: flag and scope. */
  readonly mayWrite: boolean;
}

export interface LegacyRequestLimits {
  readonly maxEventsPerBatch: number;
  /** Bytes of one payload as compact JSON. */
  readonly maxEventPayloadSize: number;
}

/**
 * The checks that refuse a whole request, in their published order (http-api 7.2). A request without events passes all
 * of them.
 * @throws Refused with `INVALID_FIELD_VALUE`, `INSUFFICIENT_PERMISSIONS` or `PAYLOAD_TOO_LARGE`
 */
export function checkLegacyRequest(
  request: LegacyRequest,
  principal: LegacyRequestPrincipal,
  limits: LegacyRequestLimits,
): void {
  const { agentId, events } = request;
  const [first] = events;
  if (first === undefined) return;
  const strayAt = events.findIndex(
    ({ tenantId, storeId }) => tenantId !== first.tenantId || storeId !== first.storeId,
  );
  if (strayAt >= 0) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `events[${strayAt}] has another tenant_id or store_id than events[0]; all events of a request go to one store`,
    );
  }
  if (principal.agentId !== null && principal.agentId !== agentId) {
    throw new Refused(
      'INSUFFICIENT_PERMISSIONS',
      `this credential is bound to agent ${principal.agentId}; agent_id is ${agentId}`,
    );
  }
  const foreignAt = events.findIndex(({ sourceAgent }) => sourceAgent !== agentId);
  if (foreignAt >= 0) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `events[${foreignAt}].source_agent is ${events[foreignAt]?.sourceAgent}; it must be the agent_id, ${agentId}`,
    );
  }
  if (!principal.mayWrite) {
    throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential may not write to this store');
  }
  if (events.length > limits.maxEventsPerBatch) {
    throw new Refused(
      'PAYLOAD_TOO_LARGE',
      `events has ${events.length} entries; at most ${limits.maxEventsPerBatch} are accepted in one request`,
    );
  }
  events.forEach((event, index) => {
    checkSizes(event, `events[${index}]`, limits);
  });
}

function checkSizes(event: LegacyEventInRequest, path: string, limits: LegacyRequestLimits): void {
  checkName(event.entityType, 128, `${path}.entity_type`);
  checkName(event.entityId, 512, `${path}.entity_id`);
  checkName(event.eventType, 256, `${path}.event_type`);
  if (event.compactPayloadBytes > limits.maxEventPayloadSize) {
    throw new Refused(
      'PAYLOAD_TOO_LARGE',
      `${path}.payload has ${event.compactPayloadBytes} bytes as compact JSON; at most ${limits.maxEventPayloadSize} are accepted`,
    );
  }
}

function checkName(name: string, bytesMax: number, path: string): void {
  const bytes = utf8Length(name);
  if (bytes < 1 || bytes > bytesMax) {
    throw new Refused('INVALID_FIELD_VALUE', `${path} has ${bytes} bytes; 1 to ${bytesMax} are accepted`);
  }
  // The log keeps names as text, and Postgres has no text with this character.
  if (name.includes('\0')) {
    throw new Refused('INVALID_FIELD_VALUE', `${path} has the character U+0000, which can't be stored`);
  }
}
