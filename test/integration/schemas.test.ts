import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nilUuid, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { type Agent, newAgent, sealedEvent, signedEvent } from '../support/ves-events.ts';
import { adminKey, type Answer, openVesNode, type VesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let node: VesNode;
let other: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  [node, other] = await Promise.all([openVesNode(database.url), openVesNode(database.url)]);
});
afterAll(async () => {
  await Promise.all([node.close(), other.close()]);
  await database.drop();
});

const path = '/api/v1/schemas';
const orderSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['total'],
  properties: { total: { type: 'number', minimum: 0 }, note: { type: 'string' } },
};

/** An API key of the tenant with all rights unless the fields say otherwise. */
async function apiKey(tenantId: Uuid, fields: Partial<Principal> = {}): Promise<string> {
  const text = `ss_${randomUUID()}`;
  const rights = { storeIds: [], agentId: null, read: true, write: true, admin: true };
  await node.storage.keys.insertKey(hashApiKey(text), {
    tenantId,
    ...rights,
    requestsPerMinuteMax: null,
    ...fields,
  });
  return text;
}

function register(
  { tenantId }: Pick<Agent, 'tenantId'>,
  eventType = 'order.created',
  schemaJson: unknown = orderSchema,
  fields: object = {},
): Promise<Answer> {
  return node.send('POST', path, { tenantId, eventType, schemaJson, ...fields });
}

function legacyEvent({ tenantId, storeId, agentId }: Agent, payload: unknown, fields: object = {}): object {
  return {
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    entity_type: 'order',
    entity_id: 'o-1',
    event_type: 'order.created',
    payload,
    created_at: '2025-12-20T18:31:22Z',
    source_agent: agentId,
    ...fields,
  };
}

function ingest(to: VesNode, agent: Agent, ...events: object[]): Promise<Answer> {
  return to.send('POST', '/api/v1/events/ingest', { agent_id: agent.agentId, events });
}

/** Resolves once a node judges the agent's order events by a schema. */
async function inForce(to: VesNode, agent: Agent): Promise<void> {
  const probe = { ...agent, storeId: randomUUID() as string as Uuid };
  await until(
    'the schema judges',
    async () => (await ingest(to, probe, legacyEvent(probe, 'broken'))).json.events_rejected === 1,
  );
}

describe('registration', () => {
  test('answers with the version, which counts up for each event type', async () => {
    const agent = newAgent();
    const first = await register(agent);
    expect(first.status).toBe(200);
    expect(first.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      eventType: 'order.created',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/),
    });
    expect((await register(agent)).json.version).toBe(2);
    expect((await register(agent, 'order.paid')).json.version).toBe(1);
  });

  test('versions registered at once get a number each', async () => {
    const agent = newAgent();
    const answers = await Promise.all([1, 2, 3].map(() => register(agent)));
    expect(answers.map(({ json }) => json.version).sort()).toEqual([1, 2, 3]);
  });

  test('gives back what was sent, numbers as they were written', async () => {
    const { tenantId } = newAgent();
    const key = await apiKey(tenantId, { agentId: tenantId });
    const body = `{"tenantId":"${tenantId}","eventType":"t","schemaJson":{"minimum" : 1.0, "title":"\\u00e9 :  x"},
      "description":"d","compatibility":"full"}`;
    const { json } = await node.send('POST', path, body, key);
    const read = await node.send('GET', `${path}/${json.id}`, undefined, key);
    expect(read.text).toContain('"schemaJson":{"minimum":1.0,"title":"\\u00e9 :  x"}');
    expect(read.json).toEqual({
      id: json.id,
      tenantId,
      eventType: 't',
      version: 1,
      schemaJson: { minimum: 1, title: 'é :  x' },
      status: 'active',
      compatibility: 'full',
      description: 'd',
      createdAt: json.createdAt,
      updatedAt: json.createdAt,
      createdBy: tenantId,
    });
  });

  test.each<[string, number, object, string]>([
    ['no schema', 422, { schemaJson: undefined }, 'schemaJson is missing'],
    ['an unknown compatibility', 422, { compatibility: 'sideways' }, 'compatibility must be one of backward'],
    ['an empty event type', 400, { eventType: '' }, 'eventType has 0 bytes'],
    ['a long description', 400, { description: 'é'.repeat(1_025) }, '2050 bytes'],
    ['U+0000 in the description', 400, { description: 'a\0b' }, 'U+0000'],
    ['a schema that is too long', 413, { schemaJson: { title: 'x'.repeat(102_400) } }, '102400'],
    ['a schema that is no schema', 400, { schemaJson: [] }, 'must be a schema'],
    ['an unknown type', 400, { schemaJson: { properties: { a: { type: 'x' } } } }, '/properties/a/type'],
    ['a reference elsewhere', 400, { schemaJson: { $ref: 'https://example.com/s' } }, '/$ref'],
    ['a look-ahead', 400, { schemaJson: { pattern: '^(?=a)' } }, '/pattern is no pattern'],
    [
      'an unknown draft',
      400,
      { schemaJson: { $schema: 'http://json-schema.org/draft-04/schema#' } },
      '/$schema',
    ],
  ])('refuses %s', async (_what, status, fields, sentence) => {
    const { tenantId } = newAgent();
    const body = { tenantId, eventType: 't', schemaJson: {}, ...fields };
    const answer = await node.send('POST', path, body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(sentence)]);
    expect((await node.send('GET', `${path}?tenant_id=${tenantId}`)).json.count).toBe(0);
  });

  test('the longest schema and description are accepted', async () => {
    const { tenantId } = newAgent();
    const title = 'x'.repeat(102_400 - '{"title":""}'.length);
    const answer = await register({ tenantId }, 't', { title }, { description: 'é'.repeat(1_024) });
    expect(answer.status).toBe(200);
  });

  test('a tenant has schemas for a bounded number of event types', async () => {
    const bounded = await openVesNode(database.url, { env: { SCHEMA_EVENT_TYPES_MAX: '2' } });
    const { tenantId } = newAgent();
    const send = (eventType: string) => bounded.send('POST', path, { tenantId, eventType, schemaJson: {} });
    const statuses = [];
    for (const eventType of ['a', 'b', 'c', 'a']) statuses.push((await send(eventType)).status);
    expect(statuses).toEqual([200, 200, 409, 200]);
    await bounded.close();
  });
});

describe('reading and changing', () => {
  async function threeVersions(): Promise<{ agent: Agent; ids: string[] }> {
    const agent = newAgent();
    const ids = [];
    for (let index = 0; index < 3; index++) ids.push((await register(agent)).json.id as string);
    return { agent, ids };
  }

  test('lists are by event type, newest first', async () => {
    const { agent } = await threeVersions();
    await register(agent, 'a/b c');
    const { json } = await node.send('GET', `${path}?tenant_id=${agent.tenantId}`);
    expect(json.count).toBe(4);
    expect(json.schemas.map((schema: any) => [schema.eventType, schema.version])).toEqual([
      ['a/b c', 1],
      ['order.created', 3],
      ['order.created', 2],
      ['order.created', 1],
    ]);
    const ofType = await node.send('GET', `${path}/event-type/a%2Fb%20c?tenant_id=${agent.tenantId}`);
    expect(ofType.json).toMatchObject({ count: 1, schemas: [{ eventType: 'a/b c' }] });
  });

  test('a version is found by its number, and the latest active one without', async () => {
    const { agent, ids } = await threeVersions();
    const of = `${path}/event-type/order.created`;
    const query = `?tenant_id=${agent.tenantId}`;
    expect((await node.send('GET', `${of}${query}&event_type=order.created`)).json.count).toBe(3);
    expect((await node.send('GET', `${of}${query}&version=2`)).json.schema.id).toBe(ids[1]);
    expect((await node.send('GET', `${of}${query}&version=4`)).status).toBe(404);
    expect((await node.send('GET', `${of}/latest${query}`)).json.id).toBe(ids[2]);

    const change = await node.send('PUT', `${path}/${ids[2]}/status`, { status: 'deprecated' });
    expect(change.json).toEqual({ success: true, schema_id: ids[2], new_status: 'deprecated' });
    expect((await node.send('GET', `${of}/latest${query}`)).json.id).toBe(ids[1]);
    for (const id of ids.slice(0, 2)) await node.send('PUT', `${path}/${id}/status`, { status: 'archived' });
    expect((await node.send('GET', `${of}/latest${query}`)).status).toBe(404);
    expect((await node.send('GET', `${of}${query}`)).json.count).toBe(3);
  });

  test('each change is written down', async () => {
    const { agent, ids } = await threeVersions();
    for (const status of ['deprecated', 'archived', 'active']) {
      await node.send('PUT', `${path}/${ids[0]}/status`, { status });
    }
    await node.send('DELETE', `${path}/${ids[0]}`);
    const { json } = await node.send('GET', `/api/v1/admin/audit?tenant_id=${agent.tenantId}`);
    const about = json.entries.filter((entry: any) => entry.resourceId === ids[0]);
    expect(about.map((entry: any) => entry.action)).toEqual([
      'schema_deleted',
      'schema_activated',
      'schema_updated',
      'schema_deprecated',
      'schema_registered',
    ]);
    expect(about[0].details).toMatchObject({ eventType: 'order.created', version: 1 });
  });

  test('a deleted version is gone', async () => {
    const { ids } = await threeVersions();
    const deletion = await node.send('DELETE', `${path}/${ids[0]}`);
    expect(deletion.json).toEqual({ success: true, deleted_schema_id: ids[0] });
    expect((await node.send('GET', `${path}/${ids[0]}`)).status).toBe(404);
    expect((await node.send('DELETE', `${path}/${ids[0]}`)).status).toBe(404);
  });

  test.each([
    ['GET', `${path}`, 400],
    ['GET', `${path}?tenant_id=x`, 400],
    ['GET', `${path}/not-a-uuid`, 400],
    ['GET', `${path}/event-type/a?tenant_id=${nilUuid}&version=x`, 400],
    ['GET', `${path}/event-type/a?tenant_id=${nilUuid}&event_type=b`, 400],
    ['GET', `${path}/event-type/a`, 400],
    ['PUT', `${path}/${nilUuid}/status`, 400],
    ['PATCH', path, 405],
  ])('%s %s is answered with %i', async (method, target, status) => {
    expect((await node.send(method, target)).status).toBe(status === 400 && method === 'PUT' ? 400 : status);
  });

  test('a status that is none is refused', async () => {
    const { ids } = await threeVersions();
    const answer = await node.send('PUT', `${path}/${ids[0]}/status`, { status: 'draft' });
    expect([answer.status, answer.text]).toEqual([
      422,
      expect.stringContaining('active, deprecated, archived'),
    ]);
  });

  test("another tenant's schema answers exactly as an unknown one", async () => {
    const { ids } = await threeVersions();
    const key = await apiKey(newAgent().tenantId);
    const calls = [
      ['GET', '', undefined],
      ['PUT', '/status', { status: 'archived' }],
      ['DELETE', '', undefined],
    ] as const;
    for (const [method, rest, body] of calls) {
      const theirs = await node.send(method, `${path}/${ids[0]}${rest}`, body, key);
      const unknown = randomUUID();
      const none = await node.send(method, `${path}/${unknown}${rest}`, body, key);
      expect(theirs.status).toBe(404);
      expect({ ...theirs, text: theirs.text.replace(ids[0]!, unknown) }).toEqual(none);
    }
    expect((await node.send('GET', `${path}/${ids[0]}`)).json.status).toBe('active');
  });

  test('each route wants its permission, and a store list does not restrict', async () => {
    const { agent, ids } = await threeVersions();
    const { tenantId } = agent;
    const none = { read: false, write: false, admin: false, storeIds: [agent.storeId] };
    const keys = {
      read: await apiKey(tenantId, { ...none, read: true }),
      write: await apiKey(tenantId, { ...none, write: true }),
      admin: await apiKey(tenantId, { ...none, admin: true }),
    };
    const of = `${path}/event-type/order.created`;
    const calls: [keyof typeof keys, string, string, object?][] = [
      ['read', 'GET', `${path}?tenant_id=${tenantId}`],
      ['write', 'POST', path, { tenantId, eventType: 't', schemaJson: {} }],
      ['read', 'POST', `${path}/validate`, { tenantId, eventType: 't', payload: 1 }],
      ['read', 'GET', `${path}/${ids[0]}`],
      ['write', 'PUT', `${path}/${ids[0]}/status`, { status: 'active' }],
      ['read', 'GET', `${of}?tenant_id=${tenantId}`],
      ['read', 'GET', `${of}/latest?tenant_id=${tenantId}`],
      ['admin', 'DELETE', `${path}/${ids[0]}`],
    ];
    for (const [permission, method, target, body] of calls) {
      for (const held of ['read', 'write', 'admin'] as const) {
        if (held === permission) continue;
        expect((await node.send(method, target, body, keys[held])).status).toBe(403);
      }
      expect((await node.send(method, target, body, keys[permission])).status).toBe(200);
    }
    const stranger = await apiKey(newAgent().tenantId);
    expect((await node.send('GET', `${path}?tenant_id=${tenantId}`, undefined, stranger)).status).toBe(403);
  });
});

describe('judging a payload', () => {
  const judge = ({ tenantId }: Agent, payload: unknown, fields: object = {}) =>
    node.send('POST', `${path}/validate`, { tenantId, eventType: 'order.created', payload, ...fields });

  test('tells all errors with their places, by the active version or another', async () => {
    const agent = newAgent();
    expect((await judge(agent, null)).json).toEqual({
      valid: true,
      schemaId: null,
      schemaVersion: null,
      errors: [],
    });
    const { id } = (await register(agent)).json;
    expect((await judge(agent, { total: 1 })).json).toEqual({
      valid: true,
      schemaId: id,
      schemaVersion: 1,
      errors: [],
    });
    const broken = await judge(agent, { total: -1, note: 5 });
    expect(broken.status).toBe(200);
    expect(broken.json).toEqual({
      valid: false,
      schemaId: id,
      schemaVersion: 1,
      errors: [
        { path: '/total', message: expect.any(String) },
        { path: '/note', message: expect.any(String) },
      ],
    });
    expect((await judge(agent, {})).json.errors).toEqual([
      { path: '', message: expect.stringContaining('total') },
    ]);
    await register(agent, 'order.created', true);
    expect((await judge(agent, {})).json).toMatchObject({ valid: true, schemaVersion: 2 });
    expect((await judge(agent, {}, { schemaVersion: 1 })).json).toMatchObject({
      valid: false,
      schemaVersion: 1,
    });
    expect((await judge(agent, {}, { schemaVersion: 3 })).status).toBe(404);
    expect((await judge(agent, undefined)).status).toBe(422);
  });

  test.each([
    ['draft-07', 'http://json-schema.org/draft-07/schema#', { items: [{ type: 'string' }] }, [1]],
    [
      '2019-09',
      'https://json-schema.org/draft/2019-09/schema',
      { dependentRequired: { a: ['b'] } },
      { a: 1 },
    ],
    ['2020-12', 'https://json-schema.org/draft/2020-12/schema', { prefixItems: [{ type: 'string' }] }, [1]],
  ])('%s is read as what it is', async (_draft, $schema, schema, payload) => {
    const agent = newAgent();
    await register(agent, 'order.created', { $schema, ...schema });
    expect((await judge(agent, payload)).json.valid).toBe(false);
  });
});

describe('at ingest', () => {
  test('a payload that breaks the schema is rejected, first of the rejections', async () => {
    const agent = newAgent();
    await register(agent);
    await inForce(node, agent);
    const good = legacyEvent(agent, { total: 1 });
    const repeat = { ...good, payload: { total: 2 } };
    const broken = legacyEvent(agent, { total: -1 });
    const { status, json } = await ingest(node, agent, good, repeat, broken);
    expect(status).toBe(200);
    expect(json).toMatchObject({ events_accepted: 1, events_rejected: 2, head_sequence: 1 });
    expect(json.rejections).toEqual([
      {
        event_id: (broken as any).event_id,
        reason: 'SchemaValidation',
        message: 'payload at /total must be >= 0 (schema version 1 of order.created)',
      },
      expect.objectContaining({ reason: 'DuplicateEventId' }),
    ]);
    const metrics = await node.send('GET', '/metrics');
    expect(metrics.text).toMatch(/^sequencer_errors_schema_validation [1-9]/m);
  });

  test('an event rejected by its schema takes neither its id nor its command from others', async () => {
    const agent = newAgent();
    await register(agent);
    await inForce(node, agent);
    const command_id = randomUUID();
    const broken = legacyEvent(agent, {}, { command_id });
    const mended = { ...broken, payload: { total: 1 } };
    const { json } = await ingest(node, agent, broken, mended);
    expect(json).toMatchObject({ events_accepted: 1, events_rejected: 1 });
    expect(json.receipts).toEqual([{ event_id: (broken as any).event_id, sequence_number: 1 }]);
  });

  test('a stored event that a newer schema breaks is rejected, and the answer says where it is stored', async () => {
    const agent = newAgent();
    const stored = legacyEvent(agent, {});
    expect((await ingest(node, agent, stored)).json.events_accepted).toBe(1);
    await register(agent);
    await inForce(node, agent);
    const { json } = await ingest(node, agent, stored);
    expect(json.rejections).toMatchObject([{ reason: 'SchemaValidation', sequence_number: 1 }]);
  });

  test('other event types and other tenants are not affected', async () => {
    const agent = newAgent();
    await register(agent);
    await inForce(node, agent);
    expect(
      (await ingest(node, agent, legacyEvent(agent, {}, { event_type: 'other' }))).json.events_accepted,
    ).toBe(1);
    const stranger = newAgent();
    expect((await ingest(node, stranger, legacyEvent(stranger, {}))).json.events_accepted).toBe(1);
  });

  test('signed events are rejected before all else is looked at; encrypted ones are let through', async () => {
    const agent = newAgent();
    await node.registerKey(agent);
    await register(agent);
    await inForce(node, agent);
    const good = signedEvent(agent, { eventType: 'order.created', payload: { total: 1 } });
    const broken = signedEvent(agent, { eventType: 'order.created', payload: {} });
    const forged = { ...broken, event_id: randomUUID(), agent_signature: `0x${'00'.repeat(64)}` };
    const sealed = sealedEvent(agent);
    const answer = await node.ingest(agent.agentId, [broken, good, forged, sealed]);
    expect(answer.json.eventsAccepted).toBe(2);
    expect(answer.json.rejections).toEqual([
      { event_id: broken.event_id, reason: 'schema_validation', message: expect.stringContaining('total') },
      { event_id: forged.event_id, reason: 'schema_validation', message: expect.stringContaining('total') },
    ]);
  });

  test('a change acts at once on the node that made it', async () => {
    const agent = newAgent();
    const accepted = async () => (await ingest(node, agent, legacyEvent(agent, {}))).json.events_accepted;
    expect(await accepted()).toBe(1);
    const { id } = (await register(agent)).json;
    expect(await accepted()).toBe(0);
    await node.send('PUT', `${path}/${id}/status`, { status: 'deprecated' });
    expect(await accepted()).toBe(1);
    await node.send('PUT', `${path}/${id}/status`, { status: 'active' });
    expect(await accepted()).toBe(0);
    await node.send('DELETE', `${path}/${id}`);
    expect(await accepted()).toBe(1);
  });

  test('a change acts on every node while what it knew before is still cached', async () => {
    const agent = newAgent();
    const event = () => legacyEvent(agent, {});
    for (const one of [node, other]) expect((await ingest(one, agent, event())).json.events_accepted).toBe(1);
    const { id } = (await register(agent)).json;
    await Promise.all([inForce(node, agent), inForce(other, agent)]);

    await node.send('PUT', `${path}/${id}/status`, { status: 'archived' });
    await until(
      'no schema judges',
      async () => (await ingest(other, agent, event())).json.events_accepted === 1,
    );
  });
});

test('the walk-through of the documentation answers what it says', async () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/schemas.md'), 'utf8');
  const script = /```sh\n([\s\S]*?)```/.exec(docs)![1]!;
  const env = { ...process.env, URL: node.url, KEY: adminKey };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
  const [registered, judged, ingested, latest] = stdout.trim().split('\n');
  expect(JSON.parse(registered!)).toMatchObject({ eventType: 'order.created', version: 1 });
  const { id } = JSON.parse(registered!);
  expect(docs).toContain(judged!.replace(id, '…'));
  const [rejection] = JSON.parse(ingested!).rejections;
  expect(docs).toContain(`"reason":"${rejection.reason}","message":"${rejection.message}"`);
  expect(JSON.parse(latest!)).toMatchObject({ id, status: 'active' });
});

describe('compatibility', () => {
  const wider = { ...orderSchema, required: [] };
  const narrower = { ...orderSchema, required: ['total', 'note'] };

  test('is kept as it is declared, and not enforced unless the setting says so', async () => {
    const agent = newAgent();
    await register(agent);
    expect((await register(agent, 'order.created', narrower)).json.version).toBe(2);
  });

  test('is enforced against the active version', async () => {
    const strict = await openVesNode(database.url, { env: { SCHEMA_COMPATIBILITY_ENFORCED: 'on' } });
    const { tenantId } = newAgent();
    const send = (schemaJson: object, compatibility?: string) =>
      strict.send('POST', path, { tenantId, eventType: 'order.created', schemaJson, compatibility });
    expect((await send(orderSchema)).status).toBe(200);
    const refused = await send(narrower);
    expect([refused.status, refused.text]).toEqual([
      409,
      'the schema does not keep the compatibility "backward": what is valid by the active version 1 (at "") may lack ' +
        'note, which is required by the new schema (at "/required"); change the schema, or declare another compatibility',
    ]);
    expect((await send(wider, 'forward')).status).toBe(409);
    expect((await send(narrower, 'full')).status).toBe(409);
    expect((await send(wider, 'full')).status).toBe(409);
    expect((await send(orderSchema, 'full')).json.version).toBe(2);
    expect((await send(narrower, 'forward')).json.version).toBe(3);
    expect((await send(wider, 'backward')).json.version).toBe(4);
    expect((await send(narrower, 'none')).json.version).toBe(5);
    await strict.close();
  });
});

describe('the mode', () => {
  async function withMode(mode: string, run: (one: VesNode) => Promise<void>): Promise<void> {
    const one = await openVesNode(database.url, { env: { SCHEMA_VALIDATION_MODE: mode } });
    await run(one).finally(() => one.close());
  }

  test.each(['OFF', 'warn'])('%s lets every payload through', (mode) =>
    withMode(mode, async (one) => {
      const agent = newAgent();
      await register(agent);
      await inForce(node, agent);
      expect((await ingest(one, agent, legacyEvent(agent, {}))).json.events_accepted).toBe(1);
      const { text } = await one.send('GET', '/metrics');
      expect(text).toContain(`sequencer_errors_schema_validation ${mode === 'warn' ? 1 : 0}\n`);
    }),
  );

  test('strict wants a schema for every event type, of encrypted payloads as well', () =>
    withMode('strict', async (one) => {
      const agent = newAgent();
      await node.registerKey(agent);
      const none = await ingest(one, agent, legacyEvent(agent, { total: 1 }));
      expect(none.json.rejections).toMatchObject([{ reason: 'SchemaValidation' }]);
      const sealed = sealedEvent(agent);
      const refused = await one.ingest(agent.agentId, [sealed]);
      expect(refused.json.rejections).toMatchObject([{ reason: 'schema_validation' }]);
      await register(agent);
      await until(
        'the schema is known',
        async () => (await one.ingest(agent.agentId, [sealed])).json.eventsAccepted === 1,
      );
      expect((await ingest(one, agent, legacyEvent(agent, { total: 1 }))).json.events_accepted).toBe(1);
      expect((await ingest(one, agent, legacyEvent(agent, {}))).json.events_rejected).toBe(1);
    }));

  test('that does not exist stops the start', async () => {
    await expect(withMode('sometimes', () => Promise.resolve())).rejects.toThrow('SCHEMA_VALIDATION_MODE');
  });
});
