import { utf8Length } from './bytes.ts';
import { Refused } from './errors.ts';
import type { AgentId, StoreKey } from './types.ts';

/** What the checks must know of the caller. */
export interface RequestPrincipal {
  /** The agent that the credential is bound to, or null when it is not bound. */
  readonly agentId: AgentId | null;
  /** Whether the credential may write to the store of the request: flag and scope. */
  readonly mayWrite: boolean;
}

export interface RequestLimits {
  readonly maxEventsPerBatch: number;
  /** Bytes of one payload as compact JSON. */
  readonly maxEventPayloadSize: number;
}

/** What the checks look at in an event of either world. */
export interface EventToCheck extends StoreKey {
  readonly sourceAgent: AgentId;
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  /** Length of the payload, or of the encrypted one, as compact JSON. */
  readonly compactPayloadBytes: number;
}

export interface RequestToCheck {
  readonly agentId: AgentId | null;
  readonly events: readonly EventToCheck[];
  /** What the two agents are called on the wire of this world. */
  readonly wireNames: { readonly agent: string; readonly sourceAgent: string };
}

/**
 * The checks that refuse a whole request and that both worlds share, in their published order (http-api 7.2 and 8.1). A
 * request without events passes.
 * @throws Refused with `INVALID_FIELD_VALUE`, `INSUFFICIENT_PERMISSIONS` or `PAYLOAD_TOO_LARGE`
 */
export function checkRequest(
  request: RequestToCheck,
  principal: RequestPrincipal,
  limits: RequestLimits,
): void {
  const { agentId, events, wireNames } = request;
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
      `this credential is bound to agent ${principal.agentId}; ${wireNames.agent} is ${agentId}`,
    );
  }
  const foreignAt = events.findIndex(({ sourceAgent }) => sourceAgent !== agentId);
  if (foreignAt >= 0) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `events[${foreignAt}].${wireNames.sourceAgent} is ${events[foreignAt]?.sourceAgent}; ` +
        `it must be the ${wireNames.agent}, ${agentId}`,
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

function checkSizes(event: EventToCheck, path: string, limits: RequestLimits): void {
  for (const field of ['entityType', 'entityId', 'eventType'] as const) {
    const { wireName, bytesMax } = nameLimits[field];
    const fault = nameFault(event[field], bytesMax);
    if (fault !== null) throw new Refused('INVALID_FIELD_VALUE', `${path}.${wireName} ${fault}`);
  }
  if (event.compactPayloadBytes > limits.maxEventPayloadSize) {
    throw new Refused(
      'PAYLOAD_TOO_LARGE',
      `${path}.payload has ${event.compactPayloadBytes} bytes as compact JSON; ` +
        `at most ${limits.maxEventPayloadSize} are accepted`,
    );
  }
}

/** The lengths of an event's names (ves-format 3), which are fixed. */
export const nameLimits = {
  entityType: { wireName: 'entity_type', bytesMax: 128 },
  entityId: { wireName: 'entity_id', bytesMax: 512 },
  eventType: { wireName: 'event_type', bytesMax: 256 },
} as const;

/** What is wrong with an event's name, or null. */
export function nameFault(name: string, bytesMax: number): string | null {
  const bytes = utf8Length(name);
  if (bytes < 1 || bytes > bytesMax) return `has ${bytes} bytes; 1 to ${bytesMax} are accepted`;
  // The log keeps names as text, and Postgres has no text with this character.
  return name.includes('\0') ? "has the character U+0000, which can't be stored" : null;
}
