import type { JsonObject } from './exact-json.ts';
import { EventRefused } from './refusal.ts';

/** The rules of one entity type: pure functions, which throw EventRefused and nothing else. */
export interface Projector {
  readonly createdBy: string;
  readonly create: (payload: JsonObject, entityId: string) => JsonObject;
  /** By event type. Types that are not here change nothing. */
  readonly changes: ReadonlyMap<string, Change>;
}

export type Change = (state: JsonObject, payload: JsonObject) => JsonObject;

/** The statuses of one kind of entity, and a move between two of them. @throws EventRefused from any other status */
export function move(state: JsonObject, from: readonly string[], to: string): JsonObject {
  const status = typeof state.status === 'string' ? state.status : 'unknown';
  if (from.includes(status)) return { ...state, status: to };
  throw new EventRefused(
    'invalid_state_transition',
    `status is ${status}; only ${from.join(', ')} leads to ${to}`,
  );
}
