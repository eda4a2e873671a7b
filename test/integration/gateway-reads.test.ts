import { LogUnavailable } from '../../domain/errors.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import type { Hash, Micros, Sequence } from '../../domain/types.ts';
import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { makeEvent, uuid } from '../support/events.ts';
import {
  adminKey,
  openGateway,
  type OpenedGateway,
  store1,
  store2,
  tenantA,
} from '../support/open-gateway.ts';

const authorized = { headers: { authorization: `ApiKey ${adminKey}` } };

/** A log with `count` events in the first store of tenant A, appended as an owner does. */
async function filledLog(
  count: number,
  fieldsOf: (number: number) => Partial<LegacyEvent>,
): Promise<MemoryEventLog> {
  const log = new MemoryEventLog();
  const claim = await log.claim({ tenantId: tenantA, storeId: store1 }, 'test');
  const legacy = Array.from({ length: count }, (_, index) => ({
    event: makeEvent(index + 1, fieldsOf(index + 1)),
    sequence: (index + 1) as Sequence,
    requestId: uuid(0xff),
    leafHash: new Uint8Array(32) as Hash,
  }));
  const sequencedAt = 1_766_255_482_100_000n as Micros;
  const outcome = await log.append({ claim, expectedHeads: claim.heads, sequencedAt, legacy, ves: [] });
  expect(outcome).toEqual({ kind: 'appended' });
  return log;
}

let log: MemoryEventLog;
let gateway: OpenedGateway;
beforeAll(async () => {
  log = await filledLog(1_200, (number) => ({
    entityType: 'or/der',
    entityId: number % 2 === 0 ? 'é 2' : `ORD-${number}`,
    payload: Buffer.from(number === 1 ? '{"b": 1.0, "a": 10000000000000000000000}' : `{"n":${number}}`),
  }));
  gateway = await openGateway({ events: log });
});
afterAll(() => gateway.stop());

async function read(path: string, parameters: Record<string, string | number> = {}) {
  const query = new URLSearchParams({ tenant_id: tenantA, store_id: store1 });
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
  const response = await gateway.fetch(`${path}?${query.toString()}`, authorized);
  const text = await response.text();
  return { status: response.status, text, type: response.headers.get('content-type') };
}

interface EventList {
  readonly events: readonly { readonly envelope: { readonly sequence_number: number } }[];
  readonly count: number;
}

function sequencesOf(text: string): number[] {
  const { events, count } = JSON.parse(text) as EventList;
  expect(count).toBe(events.length);
  return events.map(({ envelope }) => envelope.sequence_number);
}

describe('GET /api/v1/head', () => {
  test('tells the head of the stream', async () => {
    expect(await read('/api/v1/head')).toEqual({
      status: 200,
      text: '{"head_sequence":1200}',
      type: 'application/json',
    });
  });

  test('of an unknown stream is 0', async () => {
    expect((await read('/api/v1/head', { store_id: store2 })).text).toBe('{"head_sequence":0}');
  });
});

describe('GET /api/v1/events', () => {
  test.each<[string, Record<string, string | number>, number, number]>([
    ['by default the first hundred', {}, 1, 100],
    ['from 0 the same as from 1, with the full limit', { from: 0, limit: 1 }, 1, 1],
    ['a range', { from: 7, limit: 3 }, 7, 9],
    ['leading zeros', { from: '0007', limit: '03' }, 7, 9],
    ['at most a thousand', { limit: 4_294_967_295 }, 1, 1_000],
    ['what there is up to the head', { from: 1_150, limit: 100 }, 1_150, 1_200],
    ['the head alone', { from: 1_200 }, 1_200, 1_200],
    ['nothing after the head', { from: 1_201 }, 1, 0],
    ['nothing beyond 2^53', { from: '9007199254740992' }, 1, 0],
    ['nothing at the end of u64', { from: '18446744073709551615' }, 1, 0],
    ['nothing of an unknown stream', { store_id: store2 }, 1, 0],
  ])('%s', async (_range, parameters, first, last) => {
    const { status, text } = await read('/api/v1/events', parameters);
    expect(status).toBe(200);
    expect(sequencesOf(text)).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index));
  });

  test('gives payloads back as they were written', async () => {
    const { text } = await read('/api/v1/events', { limit: 1 });
    expect(text).toContain('"payload":{"b": 1.0, "a": 10000000000000000000000},');
    expect(text).toContain('"sequenced_at":"2025-12-20T18:31:22.100Z"');
  });

  test.each<[string, string, RegExp]>([
    ['no tenant', `store_id=${store1}`, /tenant_id is missing/],
    ['no store', `tenant_id=${tenantA}`, /store_id is missing/],
    ['a tenant that is no UUID', `tenant_id=x&store_id=${store1}`, /tenant_id is "x"; accepted is a UUID/],
    [
      'a repeated tenant',
      `tenant_id=${tenantA}&tenant_id=${tenantA}&store_id=${store1}`,
      /tenant_id is given 2 times/,
    ],
    [
      'a negative start',
      `tenant_id=${tenantA}&store_id=${store1}&from=-1`,
      /from is "-1"; accepted is an integer/,
    ],
    ['a start with a fraction', `tenant_id=${tenantA}&store_id=${store1}&from=1.0`, /from is "1.0"/],
    ['an empty start', `tenant_id=${tenantA}&store_id=${store1}&from=`, /from is ""/],
    ['a start beyond u64', `tenant_id=${tenantA}&store_id=${store1}&from=18446744073709551616`, /2\^64 - 1/],
    ['a start in hex', `tenant_id=${tenantA}&store_id=${store1}&from=0x10`, /from is "0x10"/],
    ['digits of another script', `tenant_id=${tenantA}&store_id=${store1}&from=%D9%A1`, /from is/],
    ['a repeated start', `tenant_id=${tenantA}&store_id=${store1}&from=1&from=2`, /from is given 2 times/],
    ['a limit beyond u32', `tenant_id=${tenantA}&store_id=${store1}&limit=4294967296`, /2\^32 - 1/],
    ['a limit of 0', `tenant_id=${tenantA}&store_id=${store1}&limit=0`, /limit is "0"/],
    ['a broken escape', `tenant_id=${tenantA}&store_id=${store1}&x=%zz`, /%zz/],
    ['an escape that is not UTF-8', `tenant_id=${tenantA}&store_id=${store1}&x=%ff`, /%ff/],
    ['a line of its own', `tenant_id=%0d%0aevil&store_id=${store1}`, /"\\r\\nevil"/],
  ])('%s is 400 with a sentence', async (_fault, query, sentence) => {
    const response = await gateway.fetch(`/api/v1/events?${query}`, authorized);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toMatch(sentence);
  });

  test('ignores parameters that nobody knows, also repeated ones', async () => {
    const query = `tenant_id=${tenantA.toUpperCase()}&store_id={${store1}}&&x=1&x=2&__proto__=3&limit=1`;
    expect((await gateway.fetch(`/api/v1/events?${query}`, authorized)).status).toBe(200);
  });

  test.each([1, 60, 100, 150])('answers 409 when the event %i of the range is not there', async (missing) => {
    const holed: typeof log.readLegacy = async (store, from, to) =>
      (await log.readLegacy(store, from, to)).filter(({ sequence }) => sequence !== missing);
    const events = {
      heads: log.heads.bind(log),
      readLegacy: holed,
      readLegacyEntity: log.readLegacyEntity.bind(log),
      readVes: log.readVes.bind(log),
      readVesEvent: log.readVesEvent.bind(log),
    };
    const open = await openGateway({ events });
    try {
      const response = await open.fetch(
        `/api/v1/events?tenant_id=${tenantA}&store_id=${store1}&limit=150`,
        authorized,
      );
      expect(response.status).toBe(409);
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(open.logLines).toContain('error a range below the head has a hole');
    } finally {
      await open.stop();
    }
  });

  test('reads large events in small slices, and no more than the node may hold', async () => {
    const heavy = await filledLog(300, () => ({ payload: Buffer.from(`"${'x'.repeat(100_000)}"`) }));
    const slices: number[] = [];
    const watched: typeof log.readLegacy = (store, from, to) => {
      slices.push(to - from + 1);
      return heavy.readLegacy(store, from, to);
    };
    const events = {
      heads: heavy.heads.bind(heavy),
      readLegacy: watched,
      readLegacyEntity: heavy.readLegacyEntity.bind(heavy),
      readVes: heavy.readVes.bind(heavy),
      readVesEvent: heavy.readVesEvent.bind(heavy),
    };
    const open = await openGateway({ events, bytesInFlightMax: 33_554_432 });
    const path = `/api/v1/events?tenant_id=${tenantA}&store_id=${store1}`;
    try {
      expect(sequencesOf(await (await open.fetch(`${path}&limit=150`, authorized)).text())).toHaveLength(150);
      expect(slices).toEqual([100, 41, 9]);
      const refused = await open.fetch(`${path}&limit=300`, authorized);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
      expect(slices.length).toBeLessThan(8);
      expect((await open.fetch(`${path}&limit=150`, authorized)).status).toBe(200);
    } finally {
      await open.stop();
    }
  });
});

describe('GET /api/v1/entities', () => {
  const entity = (type: string, id: string) =>
    `/api/v1/entities/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;

  test.each<[string, Record<string, string | number>, number[], boolean]>([
    ['a page', { limit: 2 }, [2, 4], true],
    ['a page after an offset', { from: 2, limit: 2 }, [6, 8], true],
    ['the last page', { from: 599 }, [1_200], false],
    ['nothing after the last', { from: 600 }, [], false],
    ['nothing beyond 2^53', { from: '18446744073709551615' }, [], false],
  ])('%s', async (_page, parameters, sequences, hasMore) => {
    const { status, text } = await read(entity('or/der', 'é 2'), parameters);
    expect(status).toBe(200);
    expect(sequencesOf(text)).toEqual(sequences);
    expect(JSON.parse(text)).toMatchObject({
      entity_type: 'or/der',
      entity_id: 'é 2',
      total: 600,
      has_more: hasMore,
    });
  });

  test.each([{}, { limit: 0 }, { limit: 101 }, { limit: 4_294_967_295 }])(
    'has pages of at most a hundred: %j',
    async (parameters) => {
      expect(sequencesOf((await read(entity('or/der', 'é 2'), parameters)).text)).toHaveLength(100);
    },
  );

  test.each([
    ['an unknown entity', 'order', 'x'],
    ['a name that was encoded twice', 'or%2Fder', 'é 2'],
    ['a name in another case', 'OR/DER', 'é 2'],
    ['the longest names', 'x'.repeat(128), 'x'.repeat(512)],
  ])('%s has no events', async (_entity, type, id) => {
    const { status, text } = await read(entity(type, id));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      entity_type: type,
      entity_id: id,
      events: [],
      count: 0,
      total: 0,
      has_more: false,
    });
  });

  test.each([
    [
      'a type that is too long',
      entity('x'.repeat(129), 'x'),
      /entity_type has 129 bytes; accepted are 1 to 128/,
    ],
    ['an id that is too long in bytes', entity('x', 'é'.repeat(257)), /entity_id has 514 bytes/],
    ['U+0000', entity('x', 'a\0b'), /entity_id has U\+0000/],
    ['a broken escape', '/api/v1/entities/order/%zz', /entity_id is not percent-encoded/],
    ['an escape that is not UTF-8', '/api/v1/entities/%ff/x', /entity_type is not percent-encoded/],
    ['half a surrogate', '/api/v1/entities/%ED%A0%80/x', /entity_type is not percent-encoded/],
  ])('%s is 400 with a sentence', async (_fault, path, sentence) => {
    const { status, text, type } = await read(path);
    expect([status, type]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(text).toMatch(sentence);
  });

  test('asks for the key before it looks at the path', async () => {
    expect((await gateway.fetch('/api/v1/entities/order/%zz')).status).toBe(401);
  });
});

test.each([
  '/api/v1/head',
  '/api/v1/events',
  '/api/v1/entities/order/1',
  '/api/v1/ves/head',
  '/api/v1/ves/events',
  `/api/v1/ves/events/${uuid(1)}`,
])('%s without the database is 503, and tells nothing of the inside', async (path) => {
  const fail = () => Promise.reject(new LogUnavailable('connect ECONNREFUSED 10.0.0.7:5432'));
  const open = await openGateway({
    events: { heads: fail, readLegacy: fail, readLegacyEntity: fail, readVes: fail, readVesEvent: fail },
  });
  try {
    const response = await open.fetch(`${path}?tenant_id=${tenantA}&store_id=${store1}`, authorized);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.text()).not.toMatch('10.0.0.7');
  } finally {
    await open.stop();
  }
});
