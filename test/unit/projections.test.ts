import fc from 'fast-check';
import { deadLetterReason, nextTry, retriesMax } from '../../domain/projections/dead-letter.ts';
import { type JsonValue, parseExactJson, writeExactJson } from '../../domain/projections/exact-json.ts';
import { type EntityState, project, stateLengthMax } from '../../domain/projections/project.ts';
import { plainEvent, type PlainEvent, plainEvents } from '../support/projections.ts';

const i64Max = 2n ** 63n - 1n;

function apply(entity: EntityState | null, event: PlainEvent) {
  return project(entity, { ...event, payloadFault: null });
}

/** Applies events of one entity in turn, all of which must be applied. */
function fold(...events: PlainEvent[]): EntityState {
  let entity: EntityState | null = null;
  for (const event of events) {
    const outcome = apply(entity, event);
    if (outcome.kind !== 'applied') throw new Error(`${event.eventType}: ${JSON.stringify(outcome)}`);
    entity = outcome.entity;
  }
  return entity!;
}

const reasonOf = (entity: EntityState | null, event: PlainEvent) => {
  const outcome = apply(entity, event);
  return outcome.kind === 'refused' ? outcome.refusal.reason : outcome.kind;
};

const created: Readonly<Record<string, PlainEvent>> = {
  order: plainEvent('order.created', { customer_id: 'C-1' }),
  inventory: plainEvent('inventory.initialized', { quantity: 10n }),
  product: plainEvent('product.created', { sku: 'S-1', name: 'Chair' }),
  customer: plainEvent('customer.created', { email: 'a@example.org' }),
  return: plainEvent('return.requested', { order_id: 'O-1', customer_id: 'C-1' }),
};

test.each([
  [
    'order',
    {
      customer_id: 'C-1',
      status: 'pending',
      total_amount: 0,
      currency: 'USD',
      line_items: [],
      shipping_address: null,
    },
  ],
  [
    'inventory',
    {
      product_id: 'E-1',
      location: 'default',
      on_hand: 10n,
      reserved: 0n,
      available: 10n,
      reorder_point: 10n,
    },
  ],
  [
    'product',
    { sku: 'S-1', name: 'Chair', description: null, price: 0, currency: 'USD', active: true, attributes: {} },
  ],
  [
    'customer',
    { email: 'a@example.org', name: null, phone: null, addresses: [], metadata: {}, active: true },
  ],
  [
    'return',
    {
      order_id: 'O-1',
      customer_id: 'C-1',
      status: 'requested',
      reason: null,
      items: [],
      refund_amount: null,
    },
  ],
])('a new %s has the defaults of its type, and version 1', (type, state) => {
  expect(fold(created[type]!)).toEqual({ version: 1, state });
});

test.each(Object.keys(created))('creating a %s twice is refused', (type) => {
  expect(reasonOf(fold(created[type]!), created[type]!)).toBe('invalid_state_transition');
});

test.each([
  'order.confirmed',
  'inventory.adjusted',
  'product.updated',
  'customer.updated',
  'return.approved',
])('%s of an unknown entity is refused', (eventType) => {
  expect(reasonOf(null, plainEvent(eventType, { delta: 1 }))).toBe('entity_not_found');
});

test.each([
  ['order.created', {}],
  ['order.created', { customer_id: '' }],
  ['order.created', { customer_id: 7 }],
  ['order.created', { customer_id: 'C', total_amount: 'much' }],
  ['order.created', { customer_id: 'C', line_items: {} }],
  ['order.created', []],
  ['order.created', { customer_id: 'a\u0000b' }],
  ['inventory.initialized', { quantity: 1.5 }],
  ['inventory.initialized', { quantity: '1' }],
  ['customer.created', {}],
  ['return.requested', { order_id: 'O-1' }],
  ['return.requested', { customer_id: 'C-1' }],
] as [string, JsonValue][])('%s with %j breaks the schema of its type', (eventType, payload) => {
  expect(reasonOf(null, plainEvent(eventType, payload))).toBe('schema_validation');
});

test('an order goes one step at a time and no other way', () => {
  const statuses = ['pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded'];
  const events = ['confirmed', 'processing', 'shipped', 'delivered', 'cancelled'];
  const order = fold(created.order!).state;
  const moves = statuses.flatMap((status) =>
    events
      .filter(
        (to) =>
          apply({ version: 1, state: { ...order, status } }, plainEvent(`order.${to}`)).kind === 'applied',
      )
      .map((to) => `${status} > ${to}`),
  );
  expect(moves).toEqual([
    'pending > confirmed',
    'pending > cancelled',
    'confirmed > processing',
    'confirmed > cancelled',
    'processing > shipped',
    'processing > cancelled',
    'shipped > delivered',
    'shipped > cancelled',
  ]);
});

test('a return is approved and received in order, and refunded and completed from anywhere', () => {
  const statuses = ['requested', 'approved', 'received', 'refunded', 'completed'];
  const requested = fold(created.return!).state;
  const from = (to: string) =>
    statuses.filter(
      (status) =>
        apply({ version: 1, state: { ...requested, status } }, plainEvent(`return.${to}`)).kind === 'applied',
    );
  expect(from('approved')).toEqual(['requested']);
  expect(from('received')).toEqual(['approved']);
  expect(from('refunded')).toEqual(statuses);
  expect(from('completed')).toEqual(statuses);
  const refunded = fold(created.return!, plainEvent('return.refunded', { refund_amount: '19.90' }));
  expect(refunded.state).toMatchObject({ status: 'refunded', refund_amount: '19.90' });
});

describe('stock', () => {
  const stock = (onHand: bigint, reserved: bigint): EntityState => ({
    version: 1,
    state: { on_hand: onHand, reserved, available: onHand - reserved, reorder_point: 10n },
  });
  test.each([
    ['adjusted', { delta: -10n }, stock(10n, 0n), [0n, 0n]],
    ['adjusted', { delta: -11n }, stock(10n, 0n), 'invariant_violation'],
    ['adjusted', { adjustment: 1n }, stock(i64Max - 1n, 0n), [i64Max, 0n]],
    ['adjusted', { delta: 1n }, stock(i64Max, 0n), 'invariant_violation'],
    ['adjusted', { delta: 2n ** 63n }, stock(0n, 0n), 'invariant_violation'],
    ['adjusted', {}, stock(0n, 0n), 'schema_validation'],
    ['reserved', { quantity: 10n }, stock(10n, 0n), [10n, 10n]],
    ['reserved', { quantity: 4n }, stock(10n, 7n), 'invariant_violation'],
    ['reserved', { quantity: -1n }, stock(10n, 0n), 'invariant_violation'],
    ['reserved', { quantity: 0n }, stock(0n, 0n), [0n, 0n]],
    ['released', { quantity: 3n }, stock(10n, 7n), [10n, 4n]],
    ['released', { quantity: i64Max }, stock(10n, 7n), [10n, 0n]],
    ['released', { quantity: -1n }, stock(10n, 7n), 'invariant_violation'],
    ['fulfilled', { quantity: 7n }, stock(10n, 7n), [3n, 0n]],
    ['fulfilled', { quantity: 11n }, stock(10n, 7n), 'invariant_violation'],
    ['fulfilled', { quantity: i64Max }, stock(i64Max, i64Max), [0n, 0n]],
  ] as [string, JsonValue, EntityState, bigint[] | string][])(
    'inventory.%s with %s',
    (change, payload, before, after) => {
      const outcome = apply(before, plainEvent(`inventory.${change}`, payload));
      const found =
        outcome.kind === 'applied'
          ? [outcome.entity.state.on_hand, outcome.entity.state.reserved]
          : outcome.kind === 'refused' && outcome.refusal.reason;
      expect(found).toEqual(after);
    },
  );

  test('is kept by product and location', () => {
    const at = (entityId: string) => fold({ ...created.inventory!, entityId }).state;
    expect(at('SKU-1:north:2')).toMatchObject({ product_id: 'SKU-1', location: 'north:2' });
    expect(at('SKU-1:')).toMatchObject({ product_id: 'SKU-1', location: 'default' });
  });

  test('never leaves its bounds, whatever comes', () => {
    fc.assert(
      fc.property(plainEvents(60), (events) => {
        let entity: EntityState | null = null;
        let version = 0;
        for (const event of events.filter(({ entityType }) => entityType === 'inventory')) {
          const outcome = apply(entity, event);
          if (outcome.kind !== 'applied') continue;
          entity = outcome.entity;
          expect(entity.version).toBe(++version);
          const [onHand = -1n, reserved = -1n, available] = ['on_hand', 'reserved', 'available'].map(
            (name) => entity!.state[name] as bigint,
          );
          expect(onHand >= 0n && onHand <= i64Max && reserved >= 0n).toBe(true);
          expect(available).toBe(onHand - reserved);
          entity = { version, state: parseExactJson(writeExactJson(entity.state)) as EntityState['state'] };
        }
      }),
      { numRuns: 200 },
    );
  });
});

test('an update sets the fields that it names and no other', () => {
  const product = fold(
    created.product!,
    plainEvent('product.updated', { price: 9007199254740993n, name: null, colour: 'red' }),
  );
  expect(product).toMatchObject({ version: 2, state: { sku: 'S-1', name: null, price: 9007199254740993n } });
  expect(product.state).not.toHaveProperty('colour');
  const customer = fold(
    created.customer!,
    plainEvent('customer.updated', { phone: '1' }),
    plainEvent('customer.address_added', { city: 'Bonn' }),
  );
  expect(customer.state).toMatchObject({ email: 'a@example.org', phone: '1', addresses: [{ city: 'Bonn' }] });
  expect(reasonOf(customer, plainEvent('customer.updated', { email: null }))).toBe('schema_validation');
});

test('a base version must be the projected one, before anything else is looked at', () => {
  const order = fold(created.order!);
  const outcome = apply(order, plainEvent('order.shipped', [], { baseVersion: 3 }));
  expect(outcome).toMatchObject({
    kind: 'refused',
    refusal: { reason: 'version_conflict', expectedVersion: 3, actualVersion: 1 },
  });
  expect(apply(order, plainEvent('order.confirmed', {}, { baseVersion: 1 })).kind).toBe('applied');
  expect(apply(null, plainEvent('order.created', { customer_id: 'C' }, { baseVersion: 0 })).kind).toBe(
    'applied',
  );
});

test('events that nothing projects are skipped, whatever is in them', () => {
  for (const type of ['parcel.sent', 'order.priced', 'inventory.constructor', 'order.toString']) {
    expect(apply(null, plainEvent(type, Buffer.from('{'), { baseVersion: 7 })).kind).toBe('skipped');
  }
});

test('a payload that can not be read is refused and quoted nowhere', () => {
  for (const payload of [Buffer.from('{"secret":'), Buffer.from([0xff, 0xfe]), Buffer.from('')]) {
    const outcome = apply(null, plainEvent('order.created', payload));
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { reason: 'handler_error' } });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  }
  const gone = project(null, {
    ...plainEvent('order.created'),
    payload: null,
    payloadFault: 'the payload is erased',
  });
  expect(gone).toMatchObject({ refusal: { reason: 'handler_error', message: 'the payload is erased' } });
});

test('a state does not grow beyond its bound', () => {
  const big = plainEvent('order.created', { customer_id: 'C', line_items: ['x'.repeat(stateLengthMax)] });
  expect(reasonOf(null, big)).toBe('invariant_violation');
});

test('JSON is read and written without rounding an integer', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), fc.jsonValue(), (integer, value) => {
      const read = parseExactJson(`{"integer":${integer},"value":${JSON.stringify(value)}}`) as Record<
        string,
        JsonValue
      >;
      expect(BigInt(read.integer as bigint)).toBe(integer);
      expect(writeExactJson(read.value!)).toBe(JSON.stringify(value));
      expect(parseExactJson(writeExactJson(read))).toEqual(read);
    }),
  );
});

test('retries come after one minute, two, four and so on up to an hour, and end after ten', () => {
  const delays = Array.from(
    { length: retriesMax + 1 },
    (_, count) => nextTry('handler_error', count, 0.5).delaySecs,
  );
  expect(delays).toEqual([60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600, null]);
  expect(nextTry('version_conflict', 0, 0).delaySecs).toBe(45);
  expect(nextTry('version_conflict', 0, 1).delaySecs).toBe(75);
  for (const reason of ['invariant_violation', 'invalid_state_transition'] as const) {
    expect(nextTry(reason, 0, 0.5)).toEqual({ status: 'failed', delaySecs: null });
  }
  expect(deadLetterReason('entity_not_found')).toBe('unknown');
});
