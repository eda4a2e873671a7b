import { randomUUID } from 'node:crypto';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { LogUnavailable } from '../../domain/errors.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { errorAnswers } from '../../services/gateway/openapi/answers.ts';
import { sample } from '../../services/gateway/openapi/samples.ts';
import type { Route } from '../../services/gateway/route.ts';
import { MemoryApiKeys } from '../../storage/memory/memory-api-keys.ts';
import { faultOf } from '../support/answer-schemas.ts';
import {
  exampleCall,
  givesValues,
  nameOf,
  routes,
  routesInOrder,
  valueAt,
} from '../support/example-calls.ts';
import { projectExamples } from '../support/example-projections.ts';
import { openGateway, type OpenedGateway } from '../support/open-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

/** What no request can produce, and why. */
const unproducible: Readonly<Record<string, string>> = {
  'GET /api/v1/events 409': 'nothing makes a hole in a stream; gateway-reads.test.ts shows one to the route',
  'GET /api/v1/ves/events 409': 'the same',
};

const keysMax = 20;
let database: TestDatabase;
let node: VesNode;
/** Finds no key because its table can't be read, and takes nobody in. */
let failing: OpenedGateway;
/** Waits for an answer about keys for ever. */
let hanging: OpenedGateway;
/** Takes no more registrations, and has its administrators elsewhere. */
let crowded: OpenedGateway;
const values = new Map<string, Record<string, string>>();
/** What those are told who are slow; all of them at once, since each takes seconds. */
const toldTooSlow = new Map<string, Promise<Told>>();

beforeAll(async () => {
  database = await createTestDatabase();
  const env = {
    PUBLIC_AGENT_REGISTRATION_ENABLED: 'true',
    SCHEMA_COMPATIBILITY_ENFORCED: 'true',
    MAX_ACTIVE_API_KEYS_PER_OWNER: String(keysMax),
  };
  node = await openVesNode(database.url, { env });
  const turn = { limit: 1, remaining: 0, resetSecs: 1 };
  const open = (keys: MemoryApiKeys, allowed: boolean): Promise<OpenedGateway> =>
    openGateway({
      keys,
      settings: { requestTimeoutMs: 300, adminIpAllowlist: allowed ? [] : ['192.0.2.1'] },
      registrationLimiter: { take: () => Promise.resolve({ ...turn, isAllowed: allowed }) },
    });
  const unavailable = (): Promise<never> => Promise.reject(new LogUnavailable('the table is away'));
  const never = (): Promise<never> => new Promise(() => undefined);
  failing = await open(keysThat(unavailable), true);
  failing.answerReadiness = () => Promise.resolve({ ready: false, reason: 'the database is away' });
  hanging = await open(keysThat(never), true);
  crowded = await open(new MemoryApiKeys(), false);
  await projectExamples(node);
  const answers = new Map<string, unknown>();
  for (const route of routesInOrder()) {
    const { id, parameters = [] } = route.description;
    const found = parameters.flatMap(({ name, from }) =>
      from === undefined ? [] : [[name, valueAt(answers.get(from.operation), from.pointer)] as const],
    );
    values.set(id, Object.fromEntries(found));
    if (!givesValues(route)) continue;
    const { method, path, body } = exampleCall(route, values.get(id));
    answers.set(id, (await node.send(method, path, (body as object | null) ?? undefined)).json);
  }
  for (const route of routes.filter(({ description }) => description.body !== undefined)) {
    toldTooSlow.set(route.description.id, sendRaw(callOf(route), 'content-length: 100', '{'));
  }
});
afterAll(async () => {
  await Promise.all([failing.stop(), hanging.stop(), crowded.stop()]);
  await node.close();
  await database.drop();
});

function keysThat(fail: () => Promise<never>): MemoryApiKeys {
  return Object.assign(new MemoryApiKeys(), { findByHash: fail, insertKey: fail });
}

interface Told {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

async function send(
  url: string,
  { method, path, body }: Call,
  headers: Record<string, string> = {},
): Promise<Told> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json', ...headers },
    body: body === null ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    text: await response.text(),
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

function callOf(route: Route, more: Readonly<Record<string, string>> = {}): Call {
  return exampleCall(route, { ...values.get(route.description.id), ...more });
}

async function keyOf(principal: Partial<Principal>): Promise<string> {
  const key = `ss_${randomUUID()}`;
  await node.storage.keys.insertKey(hashApiKey(key), { ...bootstrapAdmin, ...principal });
  return `ApiKey ${key}`;
}

/** What is announced by headers, with as much of the body as is sent. */
async function sendRaw({ method, path }: Call, bodyHeaders: string, body = ''): Promise<Told> {
  const connection = await RawConnection.open(Number(new URL(node.url).port));
  connection.send(
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ApiKey ${adminKey}\r\n` +
      `content-type: application/json\r\n${bodyHeaders}\r\n\r\n${body}`,
  );
  const response = await connection.response();
  connection.destroy();
  if (response === null) throw new Error('there was no answer');
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? null,
    text: response.body,
  };
}

/** How to get a status out of any route that documents it. */
const general: Readonly<Record<number, (route: Route) => Promise<Told>>> = {
  400: (route) => {
    const { parameters = [] } = route.description;
    const [first] = parameters;
    if (first === undefined) return send(node.url, { ...callOf(route), body: '{' });
    if (first.in === 'path') return send(node.url, callOf(route, { [first.name]: '%ff' }));
    return send(node.url, { ...callOf(route), path: `${route.path}?%ff` });
  },
  401: (route) => send(node.url, callOf(route), { authorization: 'ApiKey ss_nobody' }),
  403: async (route) => {
    const tenantId = sample.tenant as string as Uuid;
    const key = await keyOf({ tenantId, read: false, write: false, admin: false });
    return send(node.url, callOf(route), { authorization: key });
  },
  404: (route) => {
    const others: Record<string, string> = {
      ...{ agent_id: randomUUID(), batch_id: randomUUID(), event_id: randomUUID(), schema_id: randomUUID() },
      ...{ id: randomUUID(), entity_id: 'nobody' },
      ...{
        key_id: '99',
        key_prefix: 'ffffffffffffffff',
        version: '99',
        event_type: 'other',
        file: 'other.css',
      },
    };
    return send(node.url, callOf(route, others));
  },
  408: async (route) =>
    (await toldTooSlow.get(route.description.id)) ?? Promise.reject(new Error('nobody was slow')),
  413: (route) => sendRaw(callOf(route), 'content-length: 99999999999'),
  415: (route) => send(node.url, callOf(route), { 'content-type': 'text/plain' }),
  422: (route) => send(node.url, { ...callOf(route), body: '[]' }),
  429: async (route) => {
    const authorization = await keyOf({ requestsPerMinuteMax: 1 });
    await send(node.url, { method: 'GET', path: '/api/v1/sequencer/keys', body: null }, { authorization });
    return send(node.url, callOf(route), { authorization });
  },
  503: (route) => send(failing.url, callOf(route)),
  504: (route) => send(hanging.url, callOf(route)),
};

/** An agent that two tenants have, and one with so many keys that a digit does not tell them apart. */
async function sharedAgent(): Promise<string> {
  const agentId = randomUUID() as string as Uuid;
  for (const tenant of [sample.tenant, randomUUID()]) {
    await keyOf({ tenantId: tenant as string as Uuid, agentId, admin: false });
  }
  return agentId;
}

/** Of a dead letter that someone is trying. */
async function whileRetried(route: Route): Promise<Told> {
  await node.storage.projections.claimDeadLetter(values.get(route.description.id)?.id as Uuid, 60);
  return send(node.url, callOf(route));
}

const special: Readonly<Record<string, (route: Route) => Promise<Told>>> = {
  'registerAgent 403': (route) => {
    const call = callOf(route);
    return send(node.url, { ...call, body: { ...(call.body as object), admin: true } });
  },
  'showAdminPage 403': (route) => send(crowded.url, callOf(route)),
  'registerAgent 429': (route) => send(crowded.url, callOf(route)),
  'retryDeadLetter 409': whileRetried,
  'discardDeadLetter 409': whileRetried,
  'registerAgentKey 409': (route) => send(node.url, callOf(route)),
  'readAgent 409': async (route) => send(node.url, callOf(route, { agent_id: await sharedAgent() })),
  'mintAgentApiKey 409': async (route) => send(node.url, callOf(route, { agent_id: await sharedAgent() })),
  'listAgentApiKeys 409': async (route) => send(node.url, callOf(route, { agent_id: await sharedAgent() })),
  'revokeAgentApiKey 409': async (route) => send(node.url, callOf(route, { agent_id: await sharedAgent() })),
  'mintTenantApiKey 409': async (route) => {
    const tenantId = randomUUID() as string as Uuid;
    for (let count = 0; count < keysMax; count++) await keyOf({ tenantId });
    return send(node.url, { ...callOf(route, { tenant_id: tenantId }), body: {} });
  },
  'revokeTenantApiKey 409': async (route) => {
    const tenantId = randomUUID() as string as Uuid;
    // There are 16 digits, so two of these begin with the same.
    for (let count = 0; count < 17; count++) await keyOf({ tenantId });
    const keys = await node.storage.keys.list({ tenantId, agentId: null }, { afterPrefix: null, limit: 17 });
    const digits = keys.map(({ hash }) => hash.slice(0, 1));
    const digit = digits.find((each, index) => digits.indexOf(each) !== index) ?? '';
    return send(node.url, callOf(route, { tenant_id: tenantId, key_prefix: digit }));
  },
  'registerSchema 409': (route) => {
    const schemaJson = { type: 'object', required: ['total', 'another'] };
    const call = callOf(route);
    return send(node.url, { ...call, body: { ...(call.body as object), schemaJson } });
  },
  'validatePayload 404': (route) => {
    const call = callOf(route);
    return send(node.url, { ...call, body: { ...(call.body as object), schemaVersion: 99 } });
  },
  'bundleLegacyProof 404': (route) => send(node.url, callOf(route, { sequence_number: '99' })),
  'noteAnchor 409': (route) => {
    const call = callOf(route);
    return send(node.url, { ...call, body: { ...(call.body as object), chain_tx_hash: 'f'.repeat(64) } });
  },
};

const documented = routes.flatMap((route) =>
  errorAnswers(route).map((answer) => [`${nameOf(route)} ${answer.status}`, route, answer] as const),
);

test('what can not be produced is documented, and has a reason', () => {
  expect(documented.map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(unproducible)));
});

test.each(documented.filter(([name]) => !(name in unproducible)))(
  '%s',
  async (_name, route, { status, content }) => {
    const produce = special[`${route.description.id} ${status}`] ?? general[status];
    const told = await produce?.(route);
    expect([told?.status, told?.text]).toEqual([status, told?.text]);
    if (content === null) return expect([told?.contentType, told?.text]).toEqual([null, '']);
    const mediaType = told?.contentType?.replace(/;.*/, '') ?? 'none';
    expect(Object.keys(content)).toContain(mediaType);
    if (mediaType === 'application/json') {
      expect(faultOf(JSON.parse(told?.text ?? ''), content[mediaType]?.schema ?? {})).toBeNull();
    } else expect(told?.text).not.toBe('');
  },
);
