import { randomUUID } from 'node:crypto';
import { utf8Bytes } from '../../domain/bytes.ts';
import type { Sequence, Uuid } from '../../domain/types.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { newAgent, sealedEvent, signedEvent, type Agent, vesBody } from '../support/ves-events.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await openVesNode(database.url);
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

async function registered(fields: Partial<Agent> = {}, keyFields: object = {}): Promise<Agent> {
  const agent = newAgent(fields);
  expect((await node.registerKey(agent, keyFields)).status).toBe(200);
  return agent;
}

function storeQuery({ tenantId, storeId }: Agent): string {
  return `tenant_id=${tenantId}&store_id=${storeId}`;
}

async function headsOf({ tenantId, storeId }: Agent): Promise<{ legacy: number; ves: number }> {
  return node.storage.log.heads({ tenantId, storeId });
}

function legacyEvent({ tenantId, storeId, agentId }: Agent, fields: object = {}): object {
  return {
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    source_agent: agentId,
    entity_type: 'order',
    entity_id: 'ORD-1',
    event_type: 'order.changed',
    payload: {},
    created_at: '2025-12-20T18:31:22Z',
    ...fields,
  };
}

const zeros = `0x${'00'.repeat(32)}`;

describe('an event is rejected by itself, with its reason', () => {
  /** Each row: what is done to a good event, after what else; and what it is told. */
  const rows: readonly (readonly [string, (agent: Agent) => Promise<object[]> | object[], string, RegExp])[] =
    [
      [
        'an event id stored with other content',
        async (agent) => {
          const event = signedEvent(agent);
          await node.ingest(agent.agentId, [event]);
          return [signedEvent(agent, { eventId: event.event_id as Uuid, eventType: 'order.changed' })];
        },
        'duplicate_event_id',
        /already stored with sequence_number 1/,
      ],
      [
        'a stored event whose payload was replaced',
        async (agent) => {
          const event = signedEvent(agent);
          await node.ingest(agent.agentId, [event]);
          return [{ ...event, payload: { qty: 2 } }];
        },
        'duplicate_event_id',
        /already stored/,
      ],
      [
        'the second copy in one request',
        (agent) => {
          const event = signedEvent(agent);
          return [event, event];
        },
        'duplicate_event_id',
        /repeated in this batch/,
      ],
      [
        'a command that is used up',
        async (agent) => {
          const command_id = randomUUID();
          await node.ingest(agent.agentId, [{ ...signedEvent(agent), command_id }]);
          return [{ ...signedEvent(agent), command_id }];
        },
        'duplicate_command_id',
        /already belongs to another event/,
      ],
      [
        'another payload than was hashed',
        (agent) => [{ ...signedEvent(agent), payload: { qty: 2 } }],
        'invalid_payload_hash',
        /not the hash of the payload/,
      ],
      [
        'another ciphertext than was hashed',
        (agent) => {
          const event = sealedEvent(agent);
          const payload_encrypted = { ...(event.payload_encrypted as object), tag_b64u: 'A'.repeat(22) };
          return [{ ...event, payload_encrypted }];
        },
        'invalid_cipher_hash',
        /not the hash of payload_encrypted/,
      ],
      [
        'a signature by another key',
        (agent) => [signedEvent({ ...agent, seed: newAgent().seed })],
        'invalid_signature',
        /not that of the event/,
      ],
      [
        'a post-quantum signature',
        (agent) => [{ ...signedEvent(agent), agent_signature_scheme: 2 }],
        'invalid_signature',
        /agent_signature_scheme 2 is not accepted/,
      ],
      [
        'a key that nobody registered',
        (agent) => [signedEvent({ ...agent, keyId: 9 })],
        'agent_key_invalid: Agent key not found',
        /./,
      ],
      [
        'another version of the format',
        (agent) => [signedEvent(agent, { vesVersion: 2 })],
        'unsupported_version',
        /accepted is 1/,
      ],
      [
        'a creation time that is none',
        (agent) => [signedEvent(agent, { createdAtText: 'yesterday' })],
        'schema_validation: created_at',
        /RFC 3339/,
      ],
      [
        'a cipher hash on a plain payload',
        (agent) => [{ ...signedEvent(agent), payload_cipher_hash: `0x${'11'.repeat(32)}` }],
        'schema_validation: payload_cipher_hash',
        /./,
      ],
      [
        'an encrypted payload of the wrong structure',
        (agent) => {
          const event = sealedEvent(agent);
          return [
            { ...event, payload_encrypted: { ...(event.payload_encrypted as object), recipients: [] } },
          ];
        },
        'schema_validation: payload_encrypted.recipients',
        /./,
      ],
      [
        'a version that the entity does not have',
        (agent) => [{ ...signedEvent(agent), base_version: 4 }],
        'version_conflict: expected 4, actual 0',
        /./,
      ],
    ];

  test.each(rows)('%s', async (_name, make, reason, message) => {
    const agent = await registered();
    const events = await make(agent);
    const good = signedEvent(agent, { entityId: 'ORD-2' });
    const before = (await headsOf(agent)).ves;
    const { status, json } = await node.ingest(agent.agentId, [...events, good]);
    expect(status).toBe(200);
    expect(json.rejections).toEqual([
      {
        event_id: (events.at(-1) as { event_id: string }).event_id,
        reason,
        message: expect.stringMatching(message),
      },
    ]);
    // The good ones beside it are sequenced as if it had not been there.
    expect(json).toMatchObject({
      eventsAccepted: events.length,
      eventsRejected: 1,
      sequenceStart: before + 1,
      sequenceEnd: before + events.length,
      headSequence: before + events.length,
    });
    expect(json.receipts.at(-1)).toMatchObject({ eventId: good.event_id, sequenceNumber: json.headSequence });
  });

  test.each([
    ['revoked', {}, 'Agent key has been revoked'],
    ['expired', { validTo: '2001-01-01T00:00:00Z' }, 'Agent key has expired'],
    ['early', { validFrom: '2999-01-01T00:00:00Z' }, 'Agent key is not yet valid'],
    ['both revoked and expired', { validTo: '2001-01-01T00:00:00Z' }, 'Agent key has been revoked'],
  ])('a key that is %s', async (state, keyFields, sentence) => {
    const agent = await registered({}, keyFields);
    if (state.includes('revoked')) {
      const { tenantId, agentId, keyId } = agent;
      await node.send('DELETE', `/api/v1/agents/${agentId}/keys/${keyId}?tenant_id=${tenantId}`);
    }
    const { json } = await node.ingest(agent.agentId, [signedEvent(agent)]);
    expect(json).toMatchObject({
      eventsAccepted: 0,
      sequenceStart: null,
      sequenceEnd: null,
      headSequence: 0,
    });
    expect(json.rejections[0].reason).toBe(`agent_key_invalid: ${sentence}`);
    expect(json).not.toHaveProperty('receipts');
  });

  test('the first check that fails gives the reason', async () => {
    const agent = await registered();
    const stored = signedEvent(agent);
    await node.ingest(agent.agentId, [{ ...stored, command_id: randomUUID() }]);
    const worsening = [
      { base_version: 9 },
      { command_id: randomUUID() },
      { agent_signature: `0x${'00'.repeat(64)}` },
      { agent_key_id: 77 },
      { payload: { other: true } },
      { created_at: 'never' },
      { ves_version: 7 },
      { event_id: stored.event_id },
    ];
    await node.ingest(agent.agentId, [{ ...signedEvent(agent), ...worsening[1] }]);
    let event: object = signedEvent(agent);
    const reasons: string[] = [];
    for (const worse of worsening) {
      event = { ...event, ...worse };
      const { json } = await node.ingest(agent.agentId, [event]);
      reasons.push(json.rejections[0].reason);
    }
    expect(reasons).toEqual([
      'version_conflict: expected 9, actual 2',
      'duplicate_command_id',
      'invalid_signature',
      'agent_key_invalid: Agent key not found',
      'invalid_payload_hash',
      'schema_validation: created_at',
      'unsupported_version',
      'duplicate_event_id',
    ]);
  });
});

describe('a whole request is refused', () => {
  const refusals: readonly (readonly [string, (agent: Agent) => string, number, RegExp])[] = [
    ['without events', (agent) => vesBody(agent.agentId, []), 400, /events is empty/],
    [
      'with events of two stores',
      (agent) =>
        vesBody(agent.agentId, [signedEvent(agent), signedEvent({ ...agent, storeId: agent.agentId })]),
      400,
      /events\[1\] has another tenant_id or store_id/,
    ],
    ['of another agent', (agent) => vesBody(agent.storeId, [signedEvent(agent)]), 400, /source_agent_id/],
    [
      'with a plain event without a payload',
      (agent) => vesBody(agent.agentId, [{ ...signedEvent(agent), payload: null }]),
      400,
      /payload_kind 0 and no payload/,
    ],
    ['that is no JSON', () => '{"agentId":', 400, /./],
    [
      'without a signature',
      (agent) => vesBody(agent.agentId, [{ ...signedEvent(agent), agent_signature: undefined }]),
      422,
      /agent_signature is missing/,
    ],
    [
      'with an id that is no UUID',
      (agent) => vesBody(agent.agentId, [{ ...signedEvent(agent), tenant_id: 'x' }]),
      422,
      /tenant_id must be a UUID/,
    ],
    [
      'with another kind of payload',
      (agent) => vesBody(agent.agentId, [{ ...signedEvent(agent), payload_kind: 2 }]),
      422,
      /payload_kind/,
    ],
  ];

  test.each(refusals)('%s', async (_name, body, status, sentence) => {
    const agent = await registered();
    const answer = await node.send('POST', '/api/v1/ves/events/ingest', body(agent));
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(sentence)]);
    if (status === 400 && answer.json !== null) {
      expect(answer.json.error).toMatchObject({ code: 'INVALID_FIELD_VALUE', numeric_code: 3003 });
    }
    expect(await headsOf(agent)).toEqual({ legacy: 0, ves: 0 });
  });
});

describe('an exact replay', () => {
  test('gets the stored receipt and is not counted', async () => {
    const agent = await registered();
    const events = [signedEvent(agent), sealedEvent(agent), { ...signedEvent(agent), base_version: 2 }];
    const first = (await node.ingest(agent.agentId, events)).json;
    expect(first).toMatchObject({ eventsAccepted: 3, headSequence: 3 });
    const fresh = signedEvent(agent);
    const [a, b, c] = first.receipts;
    const { json } = await node.ingest(agent.agentId, [fresh, events[2]!, events[0]!, events[1]!]);
    expect(json).toMatchObject({
      eventsAccepted: 1,
      eventsRejected: 0,
      sequenceStart: 4,
      sequenceEnd: 4,
      headSequence: 4,
    });
    expect(json).not.toHaveProperty('rejections');
    expect(json.receipts.slice(0, 3)).toEqual([c, a, b]);
    expect(json.receipts[3]).toMatchObject({ eventId: fresh.event_id, sequenceNumber: 4 });
  });

  test('is recognised when its payload is written in another way', async () => {
    const agent = await registered();
    const event = signedEvent(agent, { payload: { b: [1, 'é'], a: 1.5e3 } });
    const first = (await node.ingest(agent.agentId, [event])).json;
    const rewritten = vesBody(agent.agentId, [event]).replace(
      '{"b":[1,"é"],"a":1500}',
      '{ "a":15e2, "b":[1.0,"\\u00e9"] }',
    );
    const { json } = await node.send('POST', '/api/v1/ves/events/ingest', rewritten);
    expect(json.receipts).toEqual(first.receipts);
  });

  test('needs no valid key any more', async () => {
    const agent = await registered();
    const event = signedEvent(agent);
    const first = (await node.ingest(agent.agentId, [event])).json;
    const { tenantId, agentId, keyId } = agent;
    await node.send('DELETE', `/api/v1/agents/${agentId}/keys/${keyId}?tenant_id=${tenantId}`);
    await until('the revocation acts', async () => {
      const { json } = await node.ingest(agentId, [signedEvent(agent)]);
      return json.eventsAccepted === 0;
    });
    expect((await node.ingest(agentId, [event])).json.receipts).toEqual(first.receipts);
  });
});

test('a large request keeps no small one waiting for its signatures', async () => {
  const [large, small] = [await registered(), await registered()];
  const many = Array.from({ length: 500 }, () => signedEvent(large));
  const order: string[] = [];
  await Promise.all([
    node.ingest(large.agentId, many).then(({ json }) => order.push(`large ${json.eventsAccepted}`)),
    node.ingest(small.agentId, [signedEvent(small)]).then(() => order.push('small')),
  ]);
  expect(order).toEqual(['small', 'large 500']);
});

test('both worlds of a store number apart and share the versions of their entities', async () => {
  const agent = await registered();
  const appends = Array.from({ length: 20 }, (_, index) =>
    index % 2 === 0
      ? node.ingest(agent.agentId, [signedEvent(agent), signedEvent(agent)])
      : node.send('POST', '/api/v1/events/ingest', {
          agent_id: agent.agentId,
          events: [legacyEvent(agent)],
        }),
  );
  await Promise.all(appends);
  expect(await headsOf(agent)).toEqual({ legacy: 10, ves: 20 });
  const next = async (base_version: number) =>
    (await node.ingest(agent.agentId, [{ ...signedEvent(agent), base_version }])).json;
  expect((await next(29)).rejections[0].reason).toBe('version_conflict: expected 29, actual 30');
  expect(await next(30)).toMatchObject({ eventsAccepted: 1, sequenceStart: 21 });
  const legacy = await node.send('POST', '/api/v1/events/ingest', {
    agent_id: agent.agentId,
    events: [legacyEvent(agent, { base_version: 31 })],
  });
  expect(legacy.json).toMatchObject({ events_accepted: 1, assigned_sequence_start: 11 });
});

describe('reading', () => {
  let agent: Agent;
  const events: { event_id: string }[] = [];
  beforeAll(async () => {
    agent = await registered();
    events.push(signedEvent(agent), sealedEvent(agent), {
      ...signedEvent(agent, {
        entityId: '"quotes" and ünïcode',
        createdAtText: '2025-12-20 18:31:22.1234567+02:00',
      }),
      ...{ command_id: randomUUID(), base_version: 0, agent_signature_scheme: 1 },
    });
    expect((await node.ingest(agent.agentId, events)).json.eventsAccepted).toBe(3);
  });

  test('gives events as they were signed, each beside its receipt', async () => {
    const { status, json } = await node.send('GET', `/api/v1/ves/events?${storeQuery(agent)}`);
    expect([status, json.count]).toEqual([200, 3]);
    const replay = (await node.ingest(agent.agentId, events)).json;
    json.events.forEach(({ event, receipt }: { event: object; receipt: object }, index: number) => {
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(event).toEqual({ ...events[index], sequence_number: index + 1, sequenced_at: time });
      expect(receipt).toEqual(replay.receipts[index]);
    });
    // Sent again as they came back, they are the same events.
    const returned = json.events.map(({ event }: { event: object }) => event);
    expect((await node.ingest(agent.agentId, returned)).json.receipts).toEqual(replay.receipts);
  });

  test('finds one event by its id, in its stream only', async () => {
    const path = `/api/v1/ves/events/${events[1]!.event_id}`;
    const { status, json } = await node.send('GET', `${path}?${storeQuery(agent)}`);
    expect([status, json.event.sequence_number, json.receipt.sequenceNumber]).toEqual([200, 2, 2]);
    const elsewhere = await node.send('GET', `${path}?${storeQuery({ ...agent, storeId: agent.agentId })}`);
    expect(elsewhere.status).toBe(404);
    expect((await node.send('GET', `/api/v1/ves/events/nothing?${storeQuery(agent)}`)).status).toBe(400);
  });

  test('has ranges, like the list of the other world', async () => {
    const range = await node.send('GET', `/api/v1/ves/events?${storeQuery(agent)}&from=2&limit=1`);
    expect(range.json.events.map(({ event }: { event: { event_id: string } }) => event.event_id)).toEqual([
      events[1]!.event_id,
    ]);
    expect((await node.send('GET', `/api/v1/ves/events?${storeQuery(agent)}&limit=0`)).status).toBe(400);
    expect((await node.send('GET', '/api/v1/ves/events')).status).toBe(400);
  });

  test('tells the head of the signed stream', async () => {
    expect((await node.send('GET', `/api/v1/ves/head?${storeQuery(agent)}`)).json).toEqual({
      head_sequence: 3,
    });
    expect((await node.send('GET', `/api/v1/head?${storeQuery(agent)}`)).json).toEqual({ head_sequence: 0 });
  });

  test('gives the payload as it was written', async () => {
    const other = await registered();
    const event = signedEvent(other, { payload: { n: 1, m: 1 } });
    const text = '{ "m" :1.0,\n"n":1e0}';
    const body = vesBody(other.agentId, [event]).replace('{"n":1,"m":1}', text);
    expect((await node.send('POST', '/api/v1/ves/events/ingest', body)).json.eventsAccepted).toBe(1);
    const [stored] = await node.storage.log.readVes(other, 1 as Sequence, 1 as Sequence);
    expect(Buffer.from(stored!.payload!).equals(utf8Bytes(text))).toBe(true);
    expect((await node.send('GET', `/api/v1/ves/events?${storeQuery(other)}`)).text).toContain(
      `"payload":${text},`,
    );
  });
});

test('a strict node takes hashes with 0x and in lower case only', async () => {
  const strict = await openVesNode(database.url, { env: { VES_STRICT_FORMAT_VALIDATION: 'on' } });
  try {
    const agent = await registered();
    const event = signedEvent(agent);
    const bare = { ...event, payload_cipher_hash: zeros.slice(2) };
    expect((await strict.ingest(agent.agentId, [bare])).status).toBe(422);
    expect((await strict.ingest(agent.agentId, [event])).json.eventsAccepted).toBe(1);
    expect((await node.ingest(agent.agentId, [bare])).json.receipts).toHaveLength(1);
  } finally {
    await strict.close();
  }
});
