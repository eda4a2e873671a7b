import { randomUUID } from 'node:crypto';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { sample } from '../../services/gateway/openapi/samples.ts';
import type { Route } from '../../services/gateway/route.ts';
import { faultOf } from '../support/answer-schemas.ts';
import {
  type ExampleCall,
  exampleCall,
  givesValues,
  nameOf,
  routeOf,
  routes,
  routesInOrder,
  valueAt,
} from '../support/example-calls.ts';
import { projectExamples } from '../support/example-projections.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type PrincipalKind, principals, routeAccess } from '../support/route-access.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';
import { claims, signToken, tokenSecret } from '../support/web-tokens.ts';

const metricsToken = randomUUID();
let database: TestDatabase;
let node: VesNode;
/** The value of the authorization header by kind; null for none. */
const credentials = new Map<PrincipalKind, string | null>();
/** What the routes with parameters that a node makes up are called with. */
const values = new Map<string, Record<string, string>>();

beforeAll(async () => {
  database = await createTestDatabase();
  const env = {
    JWT_SECRET: tokenSecret,
    METRICS_TOKEN: metricsToken,
    PUBLIC_AGENT_REGISTRATION_ENABLED: 'true',
  };
  node = await openVesNode(database.url, { env });
  await makeCredentials();
  await projectExamples(node);
  await makeResources();
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

async function makeCredentials(): Promise<void> {
  const tenantId = sample.tenant as string as Uuid;
  const every = { ...bootstrapAdmin, tenantId };
  const none = { ...every, read: false, write: false, admin: false };
  const agentId = sample.agent as string as Uuid;
  const keys: Partial<Record<PrincipalKind, Principal>> = {
    revoked: every,
    tenant2: { ...every, tenantId: randomUUID() as string as Uuid },
    store2: { ...every, storeIds: [randomUUID() as string as Uuid] },
    read: { ...none, read: true },
    write: { ...none, write: true },
    admin: { ...none, admin: true },
    agent: { ...none, read: true, write: true, agentId },
    agent2: { ...none, read: true, write: true, agentId: randomUUID() as string as Uuid },
  };
  for (const [kind, principal] of Object.entries(keys) as [PrincipalKind, Principal][]) {
    const key = `ss_${randomUUID()}`;
    await node.storage.keys.insertKey(hashApiKey(key), principal);
    if (kind === 'revoked') await node.storage.keys.revoke(hashApiKey(key));
    credentials.set(kind, `ApiKey ${key}`);
  }
  const past = Math.floor(Date.now() / 1_000) - 3_600;
  const token = signToken(claims({ sub: tenantId, perms: 'read,write,admin', exp: past }));
  credentials.set('expired', `Bearer ${token}`);
  credentials.set('none', null);
  credentials.set('wrong', `ApiKey ss_${randomUUID()}`);
  credentials.set('boot', `ApiKey ${adminKey}`);
  credentials.set('scraper', `Bearer ${metricsToken}`);
}

/** Runs the examples that others build on. */
async function makeResources(): Promise<void> {
  const answers = new Map<string, unknown>();
  for (const route of routesInOrder()) {
    const { id, parameters = [] } = route.description;
    const found = parameters.flatMap(({ name, from }) =>
      from === undefined ? [] : [[name, valueAt(answers.get(from.operation), from.pointer)] as const],
    );
    values.set(id, Object.fromEntries(found));
    if (!givesValues(route)) continue;
    const { method, path, body } = exampleCall(route, values.get(id));
    const { status, json } = await node.send(method, path, (body as object | null) ?? undefined);
    expect([id, status]).toEqual([id, 200]);
    answers.set(id, json);
  }
}

let fresh = 1;

/** What a route takes that works once only. */
const freshCalls: Readonly<Record<string, (call: ExampleCall) => Promise<ExampleCall> | ExampleCall>> = {
  registerAgentKey: (call) => ({ ...call, body: { ...(call.body as object), keyId: ++fresh } }),
  revokeAgentKey: async () => {
    const keyId = ++fresh;
    const { path, body } = exampleCall(routeOf('registerAgentKey'));
    await node.send('POST', path, { ...(body as object), keyId });
    return exampleCall(routeOf('revokeAgentKey'), { key_id: String(keyId) });
  },
  commitLegacyRange: async (call) => {
    const { path, body } = exampleCall(routeOf('ingestLegacyEvents'));
    const { events } = body as { events: object[] };
    await node.send('POST', path, {
      events: [{ ...events[0], event_id: randomUUID(), source_agent: sample.agent }],
    });
    const { path: listPath } = exampleCall(routeOf('listLegacyCommitments'));
    const { json } = await node.send('GET', `${listPath}&from=1`);
    const next = Number(json.commitments.at(-1).sequence_end) + 1;
    return { ...call, body: { ...(call.body as object), sequence_start: next, sequence_end: next } };
  },
  discardDeadLetter: async () => {
    await projectExamples(node);
    const { json } = await node.send('GET', exampleCall(routeOf('listDeadLetters')).path);
    return exampleCall(routeOf('discardDeadLetter'), { id: json.deadLetters[0].id });
  },
  deleteSchema: async () => {
    const { path, body } = exampleCall(routeOf('registerSchema'));
    const { json } = await node.send('POST', path, body as object);
    return exampleCall(routeOf('deleteSchema'), { schema_id: json.id });
  },
};

async function answerTo(route: Route, kind: PrincipalKind): Promise<{ status: number; body: unknown }> {
  const { id } = route.description;
  const call = exampleCall(route, values.get(id));
  const { method, path, body } = (await freshCalls[id]?.(call)) ?? call;
  const authorization = credentials.get(kind);
  const response = await fetch(node.url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(typeof authorization === 'string' && { authorization }),
    },
    body: body === null ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

const gateCodes: Partial<Record<PrincipalKind, string>> = {
  none: 'missing_auth',
  wrong: 'invalid_api_key',
  revoked: 'invalid_api_key',
  expired: 'token_expired',
  scraper: 'invalid_jwt',
};

/** How a refusal looks on a route, by its form. */
const forms = {
  coded: {
    403: { error: { code: 'INSUFFICIENT_PERMISSIONS', numeric_code: 1005, message: expect.any(String) } },
    404: undefined,
  },
  flat: {
    403: { success: false, code: 'FORBIDDEN', error: expect.any(String) },
    404: { success: false, code: 'NOT_FOUND', error: expect.any(String) },
  },
  text: { 403: expect.any(String), 404: expect.any(String) },
} as const;

test('the table has every route, and no other', () => {
  expect(Object.keys(routeAccess)).toEqual(routes.map(nameOf));
});

test.each(routes.map((route) => [nameOf(route), route] as const))('%s', async (name, route) => {
  const expected = routeAccess[name];
  const statuses: Record<string, number> = {};
  const bodies: unknown[] = [];
  const expectedBodies: unknown[] = [];
  for (const kind of Object.keys(principals) as PrincipalKind[]) {
    const { status, body } = await answerTo(route, kind);
    statuses[kind] = status;
    if (status === 200) {
      const { shape } = route.description.answer;
      if (shape !== null) expect([kind, faultOf(body, shape.schema)]).toEqual([kind, null]);
      continue;
    }
    bodies.push([kind, body]);
    const gate = { error: expect.any(String), code: gateCodes[kind] };
    expectedBodies.push([kind, status === 401 ? gate : forms[route.errors][status as 403 | 404]]);
  }
  expect(statuses).toEqual(expected);
  expect(bodies).toEqual(expectedBodies);
});
