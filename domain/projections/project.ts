import { customer } from './customer.ts';
import { type JsonObject, type JsonValue, readExactJson, writeExactJson } from './exact-json.ts';
import { isObject } from './fields.ts';
import { inventory } from './inventory.ts';
import { order } from './order.ts';
import { product } from './product.ts';
import type { Projector } from './projector.ts';
import { EventRefused, type RefusalReason } from './refusal.ts';
import { returned } from './return.ts';

/** The entity types that are projected, by the name that events give them. */
export const projectors: ReadonlyMap<string, Projector> = new Map([
  ['order', order],
  ['inventory', inventory],
  ['product', product],
  ['customer', customer],
  ['return', returned],
]);

/** An entity as the events applied so far have made it. */
export interface EntityState {
  /** How many events were applied; 1 after the one that created it. */
  readonly version: number;
  readonly state: JsonObject;
}

/** What a projector needs of an event. */
export interface EventToProject {
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  /** The version that the entity must have; null asks for none. */
  readonly baseVersion: number | null;
  /** The text as it was sent; null when it can't be read any more, and then `payloadFault` says why. */
  readonly payload: Uint8Array | null;
  readonly payloadFault: string | null;
}

export interface Refusal {
  readonly reason: RefusalReason;
  readonly message: string;
  /** Of a version conflict: what the event asks for, and what there is. */
  readonly expectedVersion: number | null;
  readonly actualVersion: number | null;
}

export type ProjectOutcome =
  | { readonly kind: 'applied'; readonly entity: EntityState }
  /** Nothing projects events of this entity type, or of this event type. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Of the JSON text of a state: each event reads and writes the whole of it. */
export const stateLengthMax = 262_144;

/**
 * Applies one event. Same input, same output, and it never throws: whatever is wrong with an event is an outcome, so that no
 * event can stop its stream.
 * @param entity null when no event has created it
 */
export function project(entity: EntityState | null, event: EventToProject): ProjectOutcome {
  const projector = projectors.get(event.entityType);
  if (projector === undefined || !concerns(projector, event.eventType)) return { kind: 'skipped' };
  const version = entity?.version ?? 0;
  if (event.baseVersion !== null && event.baseVersion !== version) {
    const message = `base_version is ${event.baseVersion}; the projected version is ${version}`;
    return refused('version_conflict', message, { expected: event.baseVersion, actual: version });
  }
  try {
    const state = next(projector, entity?.state ?? null, event);
    checkState(state);
    return { kind: 'applied', entity: { version: version + 1, state } };
  } catch (error) {
    if (error instanceof EventRefused) return refused(error.reason, error.message);
    // A fault of ours. Its message may quote the payload, so only its kind is kept.
    return refused(
      'handler_error',
      `the projector failed (${error instanceof Error ? error.name : 'unknown'})`,
    );
  }
}

function concerns({ createdBy, changes }: Projector, eventType: string): boolean {
  return eventType === createdBy || changes.has(eventType);
}

function next(projector: Projector, state: JsonObject | null, event: EventToProject): JsonObject {
  const change = projector.changes.get(event.eventType);
  if (change === undefined && state !== null) {
    throw new EventRefused('invalid_state_transition', `the ${event.entityType} exists already`);
  }
  if (change !== undefined && state === null) {
    throw new EventRefused('entity_not_found', `no event created this ${event.entityType}`);
  }
  const payload = payloadOf(event);
  return change === undefined || state === null
    ? projector.create(payload, event.entityId)
    : change(state, payload);
}

function payloadOf({ payload, payloadFault }: EventToProject): JsonObject {
  if (payload === null)
    throw new EventRefused('handler_error', payloadFault ?? 'the payload can not be read');
  const value = read(payload);
  if (value === null || isObject(value)) return value ?? {};
  throw new EventRefused('schema_validation', 'the payload is no JSON object');
}

function read(payload: Uint8Array): JsonValue {
  try {
    return readExactJson(payload);
  } catch {
    throw new EventRefused('handler_error', 'the payload is no JSON');
  }
}

/** @throws EventRefused when the database could not hold it */
function checkState(state: JsonObject): void {
  const text = writeExactJson(state);
  if (text.length > stateLengthMax) {
    throw new EventRefused(
      'invariant_violation',
      `the state would have more than ${stateLengthMax} characters as JSON`,
    );
  }
  // A backslash that is itself escaped does not begin an escape.
  if (/(?<!\\)(?:\\\\)*\\u0000/.test(text)) {
    throw new EventRefused(
      'schema_validation',
      'the state would have the character U+0000, which no column holds',
    );
  }
}

function refused(
  reason: RefusalReason,
  message: string,
  versions?: { readonly expected: number; readonly actual: number },
): ProjectOutcome {
  const expectedVersion = versions?.expected ?? null;
  return {
    kind: 'refused',
    refusal: { reason, message, expectedVersion, actualVersion: versions?.actual ?? null },
  };
}
