import fc from 'fast-check';
import type { JsonValue } from '../../domain/projections/exact-json.ts';
import { writeExactJson } from '../../domain/projections/exact-json.ts';
import type { EventToProject } from '../../domain/projections/project.ts';
import type { StoreKey } from '../../domain/types.ts';
import type { EventLog } from '../../storage/event-log.ts';
import { batchOf, randomEvent } from './event-log.ts';

export type PlainEvent = Omit<EventToProject, 'payloadFault'>;

/** An event of `order.created` and the like: the entity type is what the event type begins with. */
export function plainEvent(
  eventType: string,
  payload: JsonValue | Uint8Array = {},
  fields: Partial<PlainEvent> = {},
): PlainEvent {
  return {
    entityType: eventType.split('.')[0]!,
    entityId: 'E-1',
    eventType,
    baseVersion: null,
    payload: payload instanceof Uint8Array ? payload : Buffer.from(writeExactJson(payload)),
    ...fields,
  };
}

const payloads: Readonly<Record<string, fc.Arbitrary<JsonValue>>> = {
  'order.created': fc.constantFrom<JsonValue>({ customer_id: 'C-1', total_amount: 12.5 }, {}, []),
  'order.confirmed': fc.constant({}),
  'order.processing': fc.constant({}),
  'order.shipped': fc.constant({}),
  'order.cancelled': fc.constant({}),
  'order.priced': fc.constant({}),
  'inventory.initialized': fc.record({ quantity: fc.bigInt({ min: -5n, max: 2n ** 63n - 1n }) }),
  'inventory.adjusted': fc.record({ delta: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }) }),
  'inventory.reserved': fc.record({ quantity: fc.bigInt({ min: -5n, max: 1000n }) }),
  'inventory.released': fc.record({ quantity: fc.bigInt({ min: 0n, max: 1000n }) }),
  'inventory.fulfilled': fc.record({ quantity: fc.bigInt({ min: 0n, max: 1000n }) }),
  'customer.created': fc.constantFrom<JsonValue>({ email: 'a@example.org' }, { email: 7 }),
  'customer.address_added': fc.constant({ address: { city: 'Bonn' } }),
  'parcel.sent': fc.constant({}),
};

/** Events of a few entities, many of which are refused: wrong order, wrong payloads, wrong versions, repeats, poison. */
export function plainEvents(lengthMax: number): fc.Arbitrary<PlainEvent[]> {
  const event = fc.constantFrom(...Object.keys(payloads)).chain((eventType) =>
    fc
      .record({
        payload: fc.oneof(
          { weight: 9, arbitrary: payloads[eventType]! },
          { weight: 1, arbitrary: fc.constant('poison') },
        ),
        entityId: fc.constantFrom('E-1', 'E-2:north'),
        baseVersion: fc.option(fc.nat(3), { freq: 4 }),
      })
      .map(({ payload, ...fields }) => plainEvent(eventType, payload, fields)),
  );
  return fc.array(event, { maxLength: lengthMax });
}

/** Appends these events to the legacy stream of a store, as its owner would. */
export async function appendPlain(
  log: EventLog,
  store: StoreKey,
  events: readonly PlainEvent[],
): Promise<void> {
  const claim = await log.claim(store, 'test');
  const made = events.map((event) =>
    randomEvent({
      ...event,
      payload: event.payload ?? new Uint8Array(),
      baseVersion: event.baseVersion === null ? null : BigInt(event.baseVersion),
    }),
  );
  const outcome = await log.append(batchOf(claim, claim.heads.legacy, made));
  expect(outcome).toEqual({ kind: 'appended' });
}
