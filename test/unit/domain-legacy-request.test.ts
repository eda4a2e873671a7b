import fc from 'fast-check';
import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import { Refused } from '../../domain/errors.ts';
import { findStoreKey } from '../../domain/find-store-key.ts';
import { readLegacyRequest } from '../../domain/legacy/request.ts';
import type { LegacyRequest } from '../../domain/legacy/request.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { parseTimestamp } from '../../domain/time.ts';
import { vectors } from '../vectors/ves-v1.ts';

const tenant = '0f8fad5b-d9cb-469f-a165-70867728950e';
const store = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const agent = '22222222-2222-4222-8222-222222222222';
const eventId = '11111111-1111-4111-8111-111111111111';
const hashOfTwo = 'd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35';

const event = {
  event_id: eventId,
  tenant_id: tenant,
  store_id: store,
  entity_type: 'order',
  entity_id: 'ORD-001',
  event_type: 'order.created',
  payload: 2 as unknown,
  created_at: '2025-12-20T18:31:22.123Z',
};

function read(body: unknown): LegacyRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readLegacyRequest(utf8Bytes(text), portableSha256);
}

function readEvent(changes: object): LegacyRequest['events'][number] {
  return read({ agent_id: agent, events: [{ ...event, ...changes }] }).events[0]!;
}

function refusalOf(run: () => unknown): Refused {
  try {
    run();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('readLegacyRequest', () => {
  test('reads every field', () => {
    const { agentId, events } = read({
      agent_id: agent,
      events: [
        {
          ...event,
          envelope_version: 4_294_967_295,
          command_id: `{${store.toUpperCase()}}`,
          base_version: 3,
          sequence_number: 7,
          source_agent: agent.replaceAll('-', ''),
          payload_hash: hashOfTwo.toUpperCase(),
          signature: [0, 255, 7],
        },
      ],
    });
    expect(agentId).toBe(agent);
    expect(events).toEqual([
      {
        eventId,
        commandId: store,
        tenantId: tenant,
        storeId: store,
        entityType: 'order',
        entityId: 'ORD-001',
        eventType: 'order.created',
        sourceAgent: agent,
        createdAt: parseTimestamp('2025-12-20T18:31:22.123Z'),
        baseVersion: 3n,
        payload: Uint8Array.of(0x32),
        payloadHash: Uint8Array.from(Buffer.from(hashOfTwo, 'hex')),
        payloadHashDiffers: false,
        signature: Uint8Array.of(0, 255, 7),
        compactPayloadBytes: 1,
      },
    ]);
  });

  test('reads events whose optional fields are null as if they were absent', () => {
    const nulls = {
      envelope_version: null,
      command_id: null,
      payload_hash: null,
      base_version: null,
      sequence_number: null,
      source_agent: null,
      signature: null,
    };
    expect(readEvent(nulls)).toEqual(readEvent({}));
  });

  test('reproduces the payload hash of every event of the published stream', () => {
    const { agent_id, events } = {
      agent_id: vectors.legacy_stream.events[0]!.event.source_agent,
      events: vectors.legacy_stream.events.map(
        ({ event: envelope, payload_json }) =>
          `${JSON.stringify(envelope).slice(0, -1)},"payload":${payload_json}}`,
      ),
    };
    const request = read(`{"agent_id":"${agent_id}","events":[${events.join(',')}]}`);
    expect(request.events.map(({ payloadHash }) => toHex(payloadHash))).toEqual(
      vectors.legacy_stream.events.map(({ event: { payload_hash } }) => payload_hash),
    );
    expect(request.events.filter(({ payloadHashDiffers }) => payloadHashDiffers)).toEqual([]);
  });

  test('keeps the text of the payload as received, without the space around it', () => {
    const text = '{ "b": 1.0,\n "a":\t1 }';
    const body = `{"agent_id":"${agent}","events":[${JSON.stringify({ ...event, payload: 0 }).replace('"payload":0', `"payload": \n${text}\t `)}]}`;
    const [read1] = read(body).events;
    expect(new TextDecoder().decode(read1!.payload)).toBe(text);
    expect(read1!.compactPayloadBytes).toBe('{"a":1,"b":1.0}'.length);
  });

  test('computes the payload hash and says whether another one was sent', () => {
    expect(readEvent({})).toMatchObject({ payloadHashDiffers: false });
    expect(toHex(readEvent({}).payloadHash)).toBe(hashOfTwo);
    expect(readEvent({ payload_hash: hashOfTwo })).toMatchObject({ payloadHashDiffers: false });
    const other = readEvent({ payload: 3, payload_hash: hashOfTwo });
    expect(other.payloadHashDiffers).toBe(true);
    expect(toHex(other.payloadHash)).not.toBe(hashOfTwo);
  });

  test('reads a payload that is null', () => {
    expect(new TextDecoder().decode(readEvent({ payload: null }).payload)).toBe('null');
  });

  test('keeps the last of repeated names inside a payload', () => {
    const body = JSON.stringify({ agent_id: agent, events: [event] });
    const [twice] = read(body.replace('"payload":2', '"payload":{"a":1,"a":2}')).events;
    const [once] = read(body.replace('"payload":2', '"payload":{"a":2}')).events;
    expect(twice!.payloadHash).toEqual(once!.payloadHash);
  });

  test('takes an absent source_agent from agent_id, wherever that stands', () => {
    const events = [event, { ...event, source_agent: store }];
    for (const body of [
      { agent_id: agent, events },
      { events, agent_id: agent },
    ]) {
      const request = read(body);
      expect(request.agentId).toBe(agent);
      expect(request.events.map(({ sourceAgent }) => sourceAgent)).toEqual([agent, store]);
    }
  });

  test('takes an absent agent_id from the first event', () => {
    const request = read({ events: [{ ...event, source_agent: agent }, event] });
    expect(request.agentId).toBe(agent);
    expect(request.events.map(({ sourceAgent }) => sourceAgent)).toEqual([agent, agent]);
  });

  test('reads an empty list with and without an agent', () => {
    expect(read({ agent_id: agent, events: [] })).toEqual({ agentId: agent, events: [] });
    expect(read({ events: [] })).toEqual({ agentId: null, events: [] });
  });

  test('ignores what it does not know', () => {
    expect(readEvent({ priority: [{ event_id: 5 }], tenantId: 'x' })).toEqual(readEvent({}));
    expect(read({ version: { events: 1 }, agent_id: agent, events: [event] }).events).toHaveLength(1);
  });

  test('knows a name however it is spelt', () => {
    const body = JSON.stringify({ agent_id: agent, events: [event] }).replace(
      '"event_id"',
      '"event\\u005fid"',
    );
    expect(read(body).events[0]!.eventId).toBe(eventId);
  });

  test('decodes escapes and every kind of character in names', () => {
    const body = JSON.stringify({ agent_id: agent, events: [event] }).replace(
      '"ORD-001"',
      '"a\\u00e9\\ud83d\\ude00\\n\\/\\\\\\"é😀\ufeff"',
    );
    expect(read(body).events[0]!.entityId).toBe('aé😀\n/\\"é😀\ufeff');
  });

  test('events that repeat each other and events that do not are told apart', () => {
    const events = [
      'order',
      'order',
      'orde',
      'ordex',
      'é',
      'é',
      'order',
      'x'.repeat(200),
      'x'.repeat(200),
    ].map((entity_type) => ({ ...event, entity_type, store_id: entity_type === 'order' ? store : tenant }));
    expect(
      read({ agent_id: agent, events }).events.map(({ entityType, storeId }) => [entityType, storeId]),
    ).toEqual(events.map(({ entity_type, store_id }) => [entity_type, store_id]));
  });

  test('a base_version is read exactly up to 2^64 - 1', () => {
    const body = JSON.stringify({ agent_id: agent, events: [{ ...event, base_version: 0 }] });
    for (const version of ['0', '9007199254740993', '18446744073709551615']) {
      const [read1] = read(body.replace('"base_version":0', `"base_version":${version}`)).events;
      expect(read1!.baseVersion).toBe(BigInt(version));
    }
  });
});

describe('a request of the wrong shape is refused with the field, what came and what is accepted', () => {
  test.each([
    [{ event_id: 'abc' }, 'events[0].event_id must be a UUID, not "abc"'],
    [{ event_id: null }, 'events[0].event_id must be a UUID, not null'],
    [{ event_id: 5 }, 'events[0].event_id must be a UUID, not 5'],
    [{ event_id: undefined }, 'events[0].event_id is missing'],
    [{ tenant_id: { a: 1 } }, 'events[0].tenant_id must be a UUID, not {"a":1}'],
    [{ tenant_id: undefined }, 'events[0].tenant_id is missing'],
    [{ store_id: '' }, 'events[0].store_id must be a UUID, not ""'],
    [{ store_id: undefined }, 'events[0].store_id is missing'],
    [{ entity_type: 1 }, 'events[0].entity_type must be a string, not 1'],
    [{ entity_type: undefined }, 'events[0].entity_type is missing'],
    [{ entity_id: ['x'] }, 'events[0].entity_id must be a string, not ["x"]'],
    [{ entity_id: undefined }, 'events[0].entity_id is missing'],
    [{ event_type: true }, 'events[0].event_type must be a string, not true'],
    [{ event_type: undefined }, 'events[0].event_type is missing'],
    [{ payload: undefined }, 'events[0].payload is missing'],
    [{ created_at: undefined }, 'events[0].created_at is missing'],
    [
      { created_at: '2025-02-30T00:00:00Z' },
      'events[0].created_at must be an RFC 3339 timestamp such as 2025-12-20T18:31:22.123Z, not "2025-02-30T00:00:00Z"',
    ],
    [{ created_at: 1766255482 }, 'not 1766255482'],
    [{ payload_hash: `0x${hashOfTwo}` }, 'events[0].payload_hash must be 64 hex digits without 0x, not "0x'],
    [{ payload_hash: 'zz'.repeat(32) }, 'events[0].payload_hash must be 64 hex digits'],
    [{ payload_hash: hashOfTwo.slice(1) }, 'events[0].payload_hash must be 64 hex digits'],
    [{ payload_hash: 5 }, 'events[0].payload_hash must be 64 hex digits'],
    [{ command_id: 'abc' }, 'events[0].command_id must be a UUID, not "abc"'],
    [{ source_agent: 'abc' }, 'events[0].source_agent must be a UUID, not "abc"'],
    [
      { base_version: -1 },
      'events[0].base_version must be an integer from 0 to 18446744073709551615, not -1',
    ],
    [{ base_version: 1.5 }, 'not 1.5'],
    [{ base_version: 1e30 }, 'not 1e+30'],
    [{ base_version: '1' }, 'not "1"'],
    [{ sequence_number: -1 }, 'events[0].sequence_number must be an integer from 0 to 18446744073709551615'],
    [
      { envelope_version: 4_294_967_296 },
      'events[0].envelope_version must be an integer from 0 to 4294967295',
    ],
    [{ signature: 'ff' }, 'events[0].signature must be an array, not "ff"'],
    [{ signature: [1, 256] }, 'events[0].signature[1] must be an integer from 0 to 255, not 256'],
  ])('%j: %s', (changes, message) => {
    const refusal = refusalOf(() => readEvent(changes));
    expect(refusal).toMatchObject({ kind: 'rejected', code: 'WRONG_SHAPE' });
    expect(refusal.message).toContain(message);
  });

  test.each([
    ['[]', 'the body must be an object, not []'],
    ['"x"', 'the body must be an object, not "x"'],
    ['null', 'the body must be an object, not null'],
    ['{}', 'events is missing'],
    [`{"agent_id":"${agent}"}`, 'events is missing'],
    ['{"events":null}', 'events must be an array, not null'],
    ['{"events":{}}', 'events must be an array, not {}'],
    ['{"events":[5]}', 'events[0] must be an object, not 5'],
    ['{"agent_id":7,"events":[]}', 'agent_id must be a UUID, not 7'],
    [JSON.stringify({ events: [event] }), 'agent_id is missing'],
    ['{"events":[],"events":[]}', 'events is given twice'],
    [`{"agent_id":null,"agent_id":"${agent}","events":[]}`, 'agent_id is given twice'],
    ['{"events":[{"event_id":"x', 'a string is not closed'],
  ])('%s: %s', (body, message) => {
    expect(refusalOf(() => read(body)).message).toContain(message);
  });

  test('a field of an envelope that comes twice', () => {
    const body = JSON.stringify({ agent_id: agent, events: [event, { ...event, x: 0 }] });
    const refusal = refusalOf(() => read(body.replace('"x":0', `"tenant\\u005fid":"${store}"`)));
    expect(refusal.message).toBe('events[1].tenant_id is given twice');
    expect(refusal).toMatchObject({ code: 'WRONG_SHAPE', data: { path: 'events[1].tenant_id' } });
  });

  test('what came is shortened', () => {
    const { message } = refusalOf(() => readEvent({ event_id: 'x'.repeat(5_000) }));
    expect(message).toBe(`events[0].event_id must be a UUID, not "${'x'.repeat(78)}…`);
  });

  test('the field of a later event is named by its place', () => {
    const events = [event, event, event, { ...event, event_id: 'abc' }];
    expect(refusalOf(() => read({ agent_id: agent, events })).message).toMatch(
      /^events\[3\]\.event_id must be/,
    );
  });
});

describe('what is not JSON is refused as such', () => {
  test.each([
    '',
    '{"agent_id":',
    `{"agent_id":"${agent}","events":[]} x`,
    `{"agent_id":"${agent}","events":[],}`,
    `{"agent_id":"${agent}","events":[],"unknown":01}`,
    `{"agent_id":"${agent}","events":[],"unknown":"\\ud800"}`,
    `{"agent_id":"${agent}","events":[{"payload":1e999}]}`,
  ])('%s', (body) => {
    expect(refusalOf(() => read(body)).code).toBe('UNREADABLE_JSON');
  });

  test('a payload may nest 124 levels, since the request around it takes three', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const body = JSON.stringify({ agent_id: agent, events: [{ ...event, payload: 0 }] });
    expect(read(body.replace('"payload":0', `"payload":${nested(124)}`)).events).toHaveLength(1);
    const refusal = refusalOf(() => read(body.replace('"payload":0', `"payload":${nested(125)}`)));
    expect(refusal.code).toBe('UNREADABLE_JSON');
    expect(refusal.message).toContain('events[0].payload[0]');
  });
});

test('random damage to a valid request is refused, or harmless, and nothing else', () => {
  const valid = utf8Bytes(
    JSON.stringify({
      agent_id: agent,
      events: [
        {
          ...event,
          payload: { total: 99.99, tags: ['é', '😀', null], nested: { a: -0.5e-3 } },
          base_version: 3,
          signature: [1, 2],
        },
        { ...event, payload_hash: hashOfTwo, command_id: null, source_agent: agent },
      ],
    }),
  );
  const damage = fc.array(
    fc.tuple(fc.constantFrom('change', 'insert', 'remove', 'cut'), fc.nat(valid.length - 1), fc.nat(255)),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(damage, (steps) => {
      let bytes = [...valid];
      for (const [kind, at, byte] of steps) {
        if (kind === 'change') bytes[at] = byte;
        if (kind === 'insert') bytes.splice(at, 0, byte);
        if (kind === 'remove') bytes.splice(at, 1);
        if (kind === 'cut' && byte < 16) bytes = bytes.slice(0, at);
      }
      const body = Uint8Array.from(bytes);
      const key = findStoreKey(body);
      try {
        const request = readLegacyRequest(body, portableSha256);
        // What is read in full is found by the short way too.
        const [first] = request.events;
        expect(key).toEqual(
          first === undefined ? 'no events' : { tenantId: first.tenantId, storeId: first.storeId },
        );
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
      }
    }),
    { numRuns: 3_000 },
  );
});

describe('findStoreKey', () => {
  const key = { tenantId: tenant, storeId: store };
  const find = (text: string): unknown => findStoreKey(utf8Bytes(text));

  test('finds the store of the first event', () => {
    expect(
      find(JSON.stringify({ agent_id: agent, events: [event, { ...event, tenant_id: agent }] })),
    ).toEqual(key);
    expect(find(JSON.stringify({ agent_id: agent, events: [event] }, null, 2))).toEqual(key);
  });

  test('is not fooled by names inside other values', () => {
    const { payload: _payload, ...envelope } = event;
    const trap = { tenant_id: agent, store_id: agent, events: [{ tenant_id: agent, store_id: agent }] };
    const text = JSON.stringify({
      note: '"events":[{',
      meta: trap,
      events: [
        {
          payload: trap,
          list: [trap, '\\"tenant_id\\":'],
          'x"tenant_id': agent,
          number: -1.5e3,
          literal: null,
          ...envelope,
        },
      ],
    });
    expect(find(text)).toEqual(key);
  });

  test('knows other spellings of names and ids', () => {
    expect(
      find(
        `{"event\\u0073":[{"tenant\\u005fid":"{${tenant.toUpperCase()}}","store_id":"${store.replaceAll('-', '')}"}]}`,
      ),
    ).toEqual(key);
  });

  test('tells an empty list from one that it can not read', () => {
    expect(find('{"events":[]}')).toBe('no events');
    expect(find('{"events": [ ] ')).toBe('no events');
  });

  test.each([
    '',
    '[]',
    'null',
    '{}',
    '{"events"',
    '{"events":',
    '{"events":[',
    '{"events":{}}',
    '{"events":[5]}',
    '{"events":[{}]}',
    '{"events":[{"tenant_id":"',
    `{"events":[{"tenant_id":"${tenant}"}]}`,
    `{"events":[{"tenant_id":"${tenant}","store_id":5}]}`,
    `{"events":[{"tenant_id":"${tenant}","store_id":"x"}]}`,
    `{"events":[{"tenant_id" "${tenant}"}]}`,
    '"unclosed',
    '{"a',
    '{"a":"b\\',
  ])('finds nothing in %s', (text) => {
    expect(find(text)).toBeNull();
  });
});
