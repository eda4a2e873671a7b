import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { newAgent, publicKeyOf, signedEvent } from '../support/ves-events.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let node: VesNode;
let pool: pg.Pool;
let tablesBefore: unknown;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await openVesNode(database.url);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('error', () => undefined);
  tablesBefore = await tables();
});
afterAll(async () => {
  await node.close();
  await pool.end();
  await database.drop();
});

/** The tables, and what would be the first to go. */
async function tables(): Promise<unknown> {
  const { rows } = await pool.query(
    `select table_name, count(*) as columns from information_schema.columns
      where table_schema = 'public' group by table_name order by table_name`,
  );
  return rows;
}

/** What programs choke on that paste texts into SQL, headers, logs, paths or objects. */
const hostileTexts = [
  `'; drop table legacy_events; --`,
  `' or '1'='1`,
  `"; delete from streams; --`,
  `$1; select pg_sleep(60)`,
  `\\'; drop table api_keys; --`,
  '%27%3B drop table streams',
  'a\r\nx-injected: yes\r\n\r\n<html>',
  '../../../etc/passwd',
  '${7*7} {{7*7}} <script>alert(1)</script>',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '\u202e\ud83d\udca9\u0001\u007f',
];

interface Place {
  readonly tenantId: string;
  readonly storeId: string;
}

const newPlace = (): Place => ({ tenantId: randomUUID(), storeId: randomUUID() });

function legacyEvent(place: Place, fields: object): object {
  return {
    event_id: randomUUID(),
    tenant_id: place.tenantId,
    store_id: place.storeId,
    entity_type: 'order',
    entity_id: '1',
    event_type: 'order.created',
    payload: {},
    created_at: '2026-01-01T00:00:00Z',
    ...fields,
  };
}

async function ingest(events: readonly object[] | string): Promise<void> {
  const body =
    typeof events === 'string'
      ? `{"agent_id":"${randomUUID()}","events":${events}}`
      : { agent_id: randomUUID(), events };
  const { status, json } = await node.send('POST', '/api/v1/events/ingest', body);
  expect(status).toBe(200);
  expect(json.events_rejected).toBe(0);
}

const queryOf = ({ tenantId, storeId }: Place): string => `tenant_id=${tenantId}&store_id=${storeId}`;

afterEach(async () => {
  // Nothing is lost, nothing is polluted, and the node still works.
  expect(await tables()).toEqual(tablesBefore);
  const place = newPlace();
  await ingest([legacyEvent(place, { payload: { plain: true } })]);
  const { json } = await node.send('GET', `/api/v1/events?${queryOf(place)}`);
  expect(json.events).toHaveLength(1);
  expect(json.events[0].envelope.payload).toEqual({ plain: true });
  expect(Object.keys(json.events[0].envelope)).not.toContain('polluted');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('types, ids and payloads are read back as they came', async () => {
  const place = newPlace();
  const events = hostileTexts.map((text) =>
    legacyEvent(place, {
      entity_type: text,
      entity_id: text,
      event_type: text,
      payload: { [text]: text, list: [text] },
    }),
  );
  await ingest(events);
  const { json } = await node.send('GET', `/api/v1/events?${queryOf(place)}`);
  const seen = json.events.map(({ envelope: event }: { envelope: Record<string, unknown> }) => [
    event.entity_type,
    event.entity_id,
    event.event_type,
    JSON.stringify(event.payload),
  ]);
  expect(seen).toEqual(
    hostileTexts.map((text) => [text, text, text, JSON.stringify({ [text]: text, list: [text] })]),
  );
});

test.each(hostileTexts)('the entity %j is found under its name, and only it', async (text) => {
  const place = newPlace();
  await ingest([legacyEvent(place, { entity_type: text, entity_id: text }), legacyEvent(place, {})]);
  const name = encodeURIComponent(text);
  const { status, json } = await node.send('GET', `/api/v1/entities/${name}/${name}?${queryOf(place)}`);
  expect(status).toBe(200);
  expect(json.events).toHaveLength(1);
  expect(json.events[0].envelope.entity_id).toBe(text);
});

test('keys that name prototypes are data in payloads, and nothing in requests', async () => {
  const place = newPlace();
  const payload =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"a":{"__proto__":null,"toString":3},"z":"\\u0000"}';
  const event = JSON.stringify(legacyEvent(place, {})).replace('"payload":{}', `"payload":${payload}`);
  await ingest(
    `[${event.slice(0, -1)},"__proto__":{"polluted":4},"constructor":{"prototype":{"polluted":5}}}]`,
  );
  const { text, json } = await node.send('GET', `/api/v1/events?${queryOf(place)}`);
  expect(text).toContain(payload);
  expect(json.events[0].envelope.polluted).toBeUndefined();
});

test('keys that name prototypes are data in signed payloads', async () => {
  const agent = newAgent();
  await node.registerKey(agent);
  const payload: unknown = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}',
  );
  const event = signedEvent(agent, {
    payload,
    entityType: '__proto__',
    entityId: `'; drop table ves_events; --`,
  });
  expect((await node.ingest(agent.agentId, [event])).json).toMatchObject({ eventsAccepted: 1 });
  const { text } = await node.send('GET', `/api/v1/ves/events?${queryOf(agent)}`);
  expect(text).toContain('"__proto__":{"polluted":1}');
});

test.each(hostileTexts)(
  'query parameters with %j are refused by name, or ignored when nobody asks for them',
  async (text) => {
    const value = encodeURIComponent(text);
    const { tenantId, storeId } = newPlace();
    for (const query of [
      `tenant_id=${value}&store_id=${storeId}`,
      `tenant_id=${tenantId}&store_id=${value}`,
      `tenant_id=${tenantId}&store_id=${storeId}&limit=${value}`,
      `tenant_id=${tenantId}&store_id=${storeId}&from=${value}`,
    ]) {
      expect((await node.send('GET', `/api/v1/events?${query}`)).status).toBe(400);
    }
    const ignored = await node.send(
      'GET',
      `/api/v1/events?${queryOf({ tenantId, storeId })}&${value}=${value}`,
    );
    expect(ignored).toMatchObject({ status: 200, json: { events: [] } });
    const audit = await node.send('GET', `/api/v1/admin/audit?action=${value}`);
    expect(audit).toMatchObject({ status: 200, json: { entries: [] } });
  },
);

test.each(hostileTexts)('path parameters with %j are refused or unknown', async (text) => {
  const value = encodeURIComponent(text);
  for (const path of [
    `/api/v1/commitments/${value}`,
    `/api/v1/proofs/${value}?${queryOf(newPlace())}`,
    `/api/v1/agents/${value}/keys`,
    `/api/v1/${value}`,
  ]) {
    expect([400, 404]).toContain((await node.send('GET', path)).status);
  }
});

test.each(hostileTexts)('a body whose ids are %j is refused', async (text) => {
  const event = legacyEvent(newPlace(), { event_id: text });
  const body = { agent_id: randomUUID(), events: [event] };
  expect((await node.send('POST', '/api/v1/events/ingest', body)).status).toBe(422);
});

test.each([
  ["x-request-id: '; drop table audit_log; --", "'; drop table audit_log; --"],
  ['x-request-id: __proto__', '__proto__'],
  ['x-request-id: a\tb', null],
  ['x-request-id: a\u00ffb', null],
  [`x-request-id: ${'a'.repeat(300)}`, null],
])('the header %j comes back as it is or not at all', async (header, expected) => {
  const port = Number(new URL(node.url).port);
  const connection = await RawConnection.open(port);
  connection.send(
    Buffer.from(`GET /health HTTP/1.1\r\nhost: x\r\n${header}\r\nconnection: close\r\n\r\n`, 'latin1'),
  );
  const response = await connection.response();
  await connection.end();
  expect(response?.status).toBe(200);
  const id = response?.headers.get('x-request-id') ?? '';
  if (expected === null) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  else expect(id).toBe(expected);
});

test('no value can put a header or a second response into an answer', async () => {
  const value = encodeURIComponent('a\r\nx-injected: yes\r\n\r\nHTTP/1.1 200 OK');
  for (const path of [
    `/api/v1/entities/${value}/${value}?${queryOf(newPlace())}`,
    `/api/v1/events?tenant_id=${value}`,
    `/${value}`,
  ]) {
    const response = await fetch(node.url + path, { headers: { authorization: `ApiKey ${adminKey}` } });
    await response.arrayBuffer();
    expect(response.headers.has('x-injected')).toBe(false);
  }
});

test('what a client calls itself is text in the audit log', async () => {
  const agent = newAgent();
  const userAgent = `'; drop table audit_log; -- __proto__ $1 \u00ff`;
  const response = await fetch(`${node.url}/api/v1/agents/keys`, {
    method: 'POST',
    headers: {
      authorization: `ApiKey ${adminKey}`,
      'content-type': 'application/json',
      'user-agent': userAgent,
    },
    body: JSON.stringify({ ...agent, publicKey: publicKeyOf(agent) }),
  });
  expect(response.status).toBe(200);
  const { json } = await node.send('GET', `/api/v1/admin/audit?tenant_id=${agent.tenantId}`);
  expect(json.entries).toMatchObject([{ action: 'agent_key_registered', userAgent }]);
});
