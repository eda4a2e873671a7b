import { randomUUID } from 'node:crypto';
import { type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { adminKey, type Answer, openVesNode, type VesNode } from '../support/ves-node.ts';
import { claims, signToken, tokenSecret } from '../support/web-tokens.ts';

let database: TestDatabase;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  const env = { JWT_SECRET: tokenSecret, MAX_ACTIVE_API_KEYS_PER_OWNER: '12' };
  node = await openVesNode(database.url, { env });
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

function newUuid(): Uuid {
  return randomUUID() as string as Uuid;
}

interface Agent {
  readonly tenantId: Uuid;
  readonly agentId: Uuid;
  readonly key: string;
}

/** A key of a new agent in a new tenant, unless the fields say otherwise. */
async function newAgent(fields: Partial<Principal> = {}): Promise<Agent> {
  const key = `ss_${randomUUID()}`;
  const tenantId = fields.tenantId ?? newUuid();
  const agentId = newUuid();
  const rights = { storeIds: [], read: true, write: true, admin: false, requestsPerMinuteMax: null };
  await node.storage.keys.insertKey(hashApiKey(key), { ...rights, agentId, ...fields, tenantId });
  return { tenantId, agentId: fields.agentId ?? agentId, key };
}

/** A key of a tenant's administrator. */
async function newAdmin(tenantId: Uuid, fields: Partial<Principal> = {}): Promise<string> {
  const { key } = await newAgent({
    tenantId,
    agentId: null,
    read: false,
    write: false,
    admin: true,
    ...fields,
  });
  return key;
}

const agentPath = (agentId: string): string => `/api/v1/agents/${agentId}`;
const keysPath = (agentId: string): string => `${agentPath(agentId)}/api-keys`;
const tenantPath = (tenantId: string): string => `/api/v1/admin/tenants/${tenantId}/api-keys`;

const mint = (agentId: string, body: object, key: string): Promise<Answer> =>
  node.send('POST', keysPath(agentId), body, key);

async function headStatus(key: string, tenantId: string, storeId: string = newUuid()): Promise<number> {
  const path = `/api/v1/head?tenant_id=${tenantId}&store_id=${storeId}`;
  return (await node.send('GET', path, undefined, key)).status;
}

const forbidden = { success: false, code: 'FORBIDDEN', error: expect.any(String) };
const notFound = { success: false, code: 'NOT_FOUND', error: expect.any(String) };

describe('an agent', () => {
  test('sees what it may do', async () => {
    const storeIds = [newUuid(), newUuid()];
    const { agentId, tenantId, key } = await newAgent({ storeIds, write: false, requestsPerMinuteMax: 700 });
    const { status, json } = await node.send('GET', agentPath(agentId), undefined, key);
    expect(status).toBe(200);
    const facts = { active: true, permissions: 'read', storeIds, rateLimit: 700 };
    expect(json).toEqual({ agentId, tenantId, ...facts });
  });

  test('makes itself a key with what it has, and the key works', async () => {
    const [store, other] = [newUuid(), newUuid()];
    const agent = await newAgent({ storeIds: [store], requestsPerMinuteMax: 700 });
    const { status, json } = await mint(agent.agentId, {}, agent.key);
    expect(status).toBe(200);
    const tenantStart = agent.tenantId.slice(0, 8);
    expect(json).toEqual({
      success: true,
      apiKey: expect.stringMatching(new RegExp(`^ss_${tenantStart}[A-Za-z0-9_-]{32}$`)),
      keyHashPrefix: hashApiKey(json.apiKey).slice(0, 16),
      permissions: 'read_write',
      message: expect.any(String),
    });
    expect(await headStatus(json.apiKey, agent.tenantId, store)).toBe(200);
    expect(await headStatus(json.apiKey, agent.tenantId, other)).toBe(403);
    const record = await node.storage.keys.findByHash(hashApiKey(json.apiKey));
    expect(record?.principal).toEqual({
      tenantId: agent.tenantId,
      agentId: agent.agentId,
      storeIds: [store],
      read: true,
      write: true,
      admin: false,
      requestsPerMinuteMax: 700,
    });
  });

  const [mine, alsoMine, another] = [newUuid(), newUuid(), newUuid()];
  const limited = { storeIds: [mine, alsoMine], requestsPerMinuteMax: 100 };
  test.each<[string, Partial<Principal>, object, number, object]>([
    ['fewer stores', limited, { storeIds: [mine] }, 200, { storeIds: [mine] }],
    ['stores when it has all', {}, { storeIds: [mine] }, 200, { storeIds: [mine] }],
    ['no more than reading', limited, { readOnly: true }, 200, { read: true, write: false }],
    ['writing that it has', limited, { readOnly: false }, 200, { write: true }],
    ['a lower limit', limited, { rateLimit: 99 }, 200, { requestsPerMinuteMax: 99 }],
    ['its own limit', limited, { rateLimit: 100 }, 200, { requestsPerMinuteMax: 100 }],
    ['a limit when it has none', {}, { rateLimit: 5 }, 200, { requestsPerMinuteMax: 5 }],
    ['no admin flag', limited, { admin: false }, 200, { admin: false }],
    ['nothing, with nulls', limited, { storeIds: null, rateLimit: null }, 200, limited],
    ['only writing, as it has', { read: false }, {}, 200, { read: false, write: true }],
    ['another store', limited, { storeIds: [mine, another] }, 403, {}],
    ['all stores', limited, { storeIds: [] }, 403, {}],
    ['a higher limit', limited, { rateLimit: 101 }, 403, {}],
    ['administration', limited, { admin: true }, 403, {}],
    ['writing that it lacks', { write: false }, { readOnly: false }, 403, {}],
    ['reading that it lacks', { read: false }, { readOnly: true }, 403, {}],
    ['a key with no permission', { read: false, write: false }, {}, 403, {}],
  ])('that asks for %s gets it, or 403', async (_what, fields, body, status, expected) => {
    const agent = await newAgent(fields);
    const { status: answered, json } = await mint(agent.agentId, body, agent.key);
    expect(answered).toBe(status);
    if (status === 403) expect(json).toEqual(forbidden);
    else {
      const record = await node.storage.keys.findByHash(hashApiKey(json.apiKey));
      expect(record?.principal).toMatchObject(expected);
    }
    const keys = await node.send('GET', keysPath(agent.agentId), undefined, agent.key);
    expect(keys.json.count).toBe(status === 200 ? 2 : 1);
  });

  test('that is known by a token only makes its first key, and sees none before', async () => {
    const agent = newUuid();
    const token = { authorization: `Bearer ${signToken(claims({ agent, perms: 'read' }))}` };
    const path = node.url + keysPath(agent);
    expect((await fetch(path, { headers: token })).status).toBe(404);
    const headers = { ...token, 'content-type': 'application/json' };
    const made = await fetch(path, { method: 'POST', headers, body: '{}' });
    expect(await made.json()).toMatchObject({ success: true, permissions: 'read' });
    expect((await fetch(path, { headers: token })).status).toBe(200);
  });

  test('does nothing for another agent', async () => {
    const agent = await newAgent();
    const { agentId } = await newAgent({ tenantId: agent.tenantId });
    for (const id of [agentId, newUuid()]) {
      const answers = await Promise.all([
        node.send('GET', agentPath(id), undefined, agent.key),
        node.send('GET', keysPath(id), undefined, agent.key),
        mint(id, {}, agent.key),
        node.send('DELETE', `${keysPath(id)}/0`, undefined, agent.key),
      ]);
      for (const { status, json } of answers) expect([status, json]).toEqual([403, forbidden]);
    }
  });

  test('has no more active keys than the setting allows', async () => {
    const agent = await newAgent();
    const made: Answer[] = [];
    for (let count = 1; count <= 12; count += 1) made.push(await mint(agent.agentId, {}, agent.key));
    expect(made.map(({ status }) => status)).toEqual([...Array<number>(11).fill(200), 409]);
    expect(made.at(-1)?.json).toMatchObject({ success: false, code: 'CONFLICT' });
    await node.send(
      'DELETE',
      `${keysPath(agent.agentId)}/${made[0]?.json.keyHashPrefix}`,
      undefined,
      agent.key,
    );
    expect((await mint(agent.agentId, {}, agent.key)).status).toBe(200);
  });
});

describe('the administrator of a tenant', () => {
  test('gives an agent anything', async () => {
    const agent = await newAgent({ write: false });
    const admin = await newAdmin(agent.tenantId);
    const plain = await mint(agent.agentId, {}, admin);
    expect(plain.json).toMatchObject({ permissions: 'read_write' });
    const readOnly = await mint(agent.agentId, { readOnly: true, rateLimit: 4_294_967_295 }, admin);
    expect(readOnly.json).toMatchObject({ permissions: 'read' });
    const { json } = await mint(agent.agentId, { admin: true }, admin);
    expect(json).toMatchObject({ permissions: 'admin' });
    const told = await node.send('GET', agentPath(agent.agentId), undefined, json.apiKey);
    expect(told.json).toMatchObject({ permissions: 'admin', storeIds: [], rateLimit: null });
  });

  test('who is limited to some stores gives no others', async () => {
    const [mine, another] = [newUuid(), newUuid()];
    const agent = await newAgent();
    const admin = await newAdmin(agent.tenantId, { storeIds: [mine] });
    const { json } = await mint(agent.agentId, { admin: true }, admin);
    const record = await node.storage.keys.findByHash(hashApiKey(json.apiKey));
    expect(record?.principal.storeIds).toEqual([mine]);
    for (const storeIds of [[], [another], [mine, another]]) {
      expect((await mint(agent.agentId, { storeIds }, admin)).status).toBe(403);
    }
  });

  test('can not tell an agent of another tenant from none', async () => {
    const [agent, foreign] = [await newAgent(), await newAgent()];
    const admin = await newAdmin(agent.tenantId);
    const foreignPrefix = hashApiKey(foreign.key).slice(0, 16);
    const ask = async (agentId: string): Promise<[number, string][]> => {
      const answers = await Promise.all([
        node.send('GET', agentPath(agentId), undefined, admin),
        node.send('GET', keysPath(agentId), undefined, admin),
        mint(agentId, {}, admin),
        node.send('DELETE', `${keysPath(agentId)}/${foreignPrefix}`, undefined, admin),
        node.send('DELETE', `${keysPath(agentId)}/0`, undefined, admin),
        node.send('GET', `${keysPath(agentId)}?tenant_id=${foreign.tenantId}`, undefined, admin),
      ]);
      return answers.map(({ status, text }) => [status, text]);
    };
    const unknown = await ask(newUuid());
    expect(unknown.map(([status]) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(await ask(foreign.agentId)).toEqual(unknown);
    expect(await headStatus(foreign.key, foreign.tenantId)).toBe(200);
    const own = await node.send('DELETE', `${keysPath(agent.agentId)}/${foreignPrefix}`, undefined, admin);
    expect([own.status, own.json]).toEqual([404, notFound]);
  });

  test('introduces a new agent of the tenant, and of no other', async () => {
    const [tenantId, agentId, store] = [newUuid(), newUuid(), newUuid()];
    const admin = await newAdmin(tenantId, { storeIds: [store] });
    const made = await node.send('POST', tenantPath(tenantId), { agentId, storeIds: [store] }, admin);
    expect(made.json).toMatchObject({ tenantId, agentId, permissions: 'read_write', storeIds: [store] });
    expect(await headStatus(made.json.apiKey, tenantId, store)).toBe(200);
    const wider = await node.send('POST', tenantPath(tenantId), { agentId, storeIds: [newUuid()] }, admin);
    expect([wider.status, wider.json]).toEqual([403, forbidden]);
    const foreign = await node.send('POST', tenantPath(newUuid()), { agentId }, admin);
    expect([foreign.status, foreign.json]).toEqual([403, forbidden]);
    const plain = await node.send('POST', tenantPath(tenantId), {}, made.json.apiKey);
    expect([plain.status, plain.json]).toEqual([403, forbidden]);
  });

  test('sees and revokes all keys of the tenant', async () => {
    const agent = await newAgent();
    const admin = await newAdmin(agent.tenantId);
    const { status, json } = await node.send('GET', tenantPath(agent.tenantId), undefined, admin);
    expect([status, json.tenantId, json.count]).toEqual([200, agent.tenantId, 2]);
    expect(json.keys[1]).toEqual({
      keyHashPrefix: hashApiKey(agent.key).slice(0, 16),
      active: true,
      permissions: 'read_write',
      rateLimit: null,
      agentId: agent.agentId,
      storeIds: [],
      createdAt: expect.stringMatching(/Z$/),
    });
    const path = `${tenantPath(agent.tenantId)}/${json.keys[1].keyHashPrefix}`;
    expect((await node.send('DELETE', path, undefined, admin)).json).toMatchObject({ success: true });
    const foreign = tenantPath(newUuid());
    expect((await node.send('GET', foreign, undefined, admin)).json).toEqual(forbidden);
    expect((await node.send('DELETE', `${foreign}/0`, undefined, admin)).json).toEqual(forbidden);
    const plain = await newAgent({ tenantId: agent.tenantId });
    expect((await node.send('GET', tenantPath(agent.tenantId), undefined, plain.key)).status).toBe(403);
  });
});

describe('the bootstrap administrator', () => {
  test("makes a tenant's first key, and one for its first agent", async () => {
    const [tenantId, agentId, store] = [newUuid(), newUuid(), newUuid()];
    const first = await node.send('POST', tenantPath(tenantId), { admin: true });
    expect(first.json).toMatchObject({
      success: true,
      tenantId,
      permissions: 'admin',
      agentId: null,
      storeIds: [],
    });
    expect((await mint(agentId, {}, first.json.apiKey)).status).toBe(404);
    const body = { agentId, storeIds: [store, store], readOnly: true, rateLimit: 60 };
    const second = await node.send('POST', tenantPath(tenantId), body);
    const facts = { permissions: 'read', agentId, storeIds: [store], rateLimit: 60 };
    expect(second.json).toMatchObject(facts);
    expect((await mint(agentId, {}, first.json.apiKey)).status).toBe(200);
    expect(await headStatus(second.json.apiKey, tenantId, store)).toBe(200);
    expect(await headStatus(second.json.apiKey, tenantId)).toBe(403);
  });

  test('makes another of its kind, and no other key of the nil tenant', async () => {
    const nil = tenantPath('00000000-0000-0000-0000-000000000000');
    const { json } = await node.send('POST', nil, { admin: true });
    expect(json.apiKey).toMatch(/^ss_00000000/);
    expect((await node.send('GET', tenantPath(newUuid()), undefined, json.apiKey)).status).toBe(200);
    for (const body of [{}, { readOnly: true }, { admin: true, agentId: newUuid() }]) {
      const refused = await node.send('POST', nil, body);
      expect([refused.status, refused.json.code]).toEqual([400, 'INVALID_FIELD_VALUE']);
    }
  });

  test('finds an agent in any tenant, and must say which when there are several', async () => {
    const agent = await newAgent({ write: false });
    expect((await node.send('GET', agentPath(agent.agentId))).json.tenantId).toBe(agent.tenantId);
    expect((await mint(agent.agentId, {}, adminKey)).json.apiKey).toContain(agent.tenantId.slice(0, 8));
    const namesake = await newAgent({ agentId: agent.agentId });
    for (const answer of [
      await node.send('GET', agentPath(agent.agentId)),
      await mint(agent.agentId, {}, adminKey),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([409, 'CONFLICT']);
    }
    const path = `${agentPath(agent.agentId)}?tenant_id=${namesake.tenantId}`;
    expect((await node.send('GET', path)).json).toMatchObject({
      tenantId: namesake.tenantId,
      permissions: 'read_write',
    });
  });
});

describe('a list of keys', () => {
  test('has revoked ones, begins with the newest, and comes in pages', async () => {
    const agent = await newAgent();
    const prefixes = [hashApiKey(agent.key).slice(0, 16)];
    for (let count = 0; count < 3; count += 1) {
      prefixes.unshift((await mint(agent.agentId, {}, agent.key)).json.keyHashPrefix);
    }
    await node.send('DELETE', `${keysPath(agent.agentId)}/${prefixes[1]}`, undefined, agent.key);
    const list = async (query: string) => {
      const { json } = await node.send('GET', `${keysPath(agent.agentId)}${query}`, undefined, agent.key);
      return json.keys.map((key: { keyHashPrefix: string; active: boolean }) => [
        key.keyHashPrefix,
        key.active,
      ]);
    };
    const all = prefixes.map((prefix, index) => [prefix, index !== 1]);
    expect(await list('')).toEqual(all);
    expect(await list('?limit=2')).toEqual(all.slice(0, 2));
    expect(await list(`?limit=2&after=${prefixes[1]}`)).toEqual(all.slice(2));
  });

  test.each(['limit=0', 'limit=x', 'after=', 'after=xyz', `after=${'a'.repeat(65)}`])(
    'refuses %s',
    async (query) => {
      const agent = await newAgent();
      expect(
        (await node.send('GET', `${keysPath(agent.agentId)}?${query}`, undefined, agent.key)).status,
      ).toBe(400);
    },
  );
});

describe('revocation', () => {
  test('ends a key for good, and a second time changes nothing', async () => {
    const agent = await newAgent();
    const { json } = await mint(agent.agentId, {}, agent.key);
    expect(await headStatus(json.apiKey, agent.tenantId)).toBe(200);
    const path = `${keysPath(agent.agentId)}/${json.keyHashPrefix.toUpperCase()}`;
    for (let time = 1; time <= 2; time += 1) {
      const answer = await node.send('DELETE', path, undefined, agent.key);
      expect([answer.status, answer.json.success]).toEqual([200, true]);
    }
    await until('the key is refused', async () => (await headStatus(json.apiKey, agent.tenantId)) === 401);
  });

  test('wants a prefix that fits one key of the agent', async () => {
    const agent = await newAgent();
    const prefix = hashApiKey(agent.key);
    const revoke = async (text: string): Promise<number> =>
      (await node.send('DELETE', `${keysPath(agent.agentId)}/${text}`, undefined, agent.key)).status;
    const zeros = '0'.repeat(64);
    for (const text of [
      zeros,
      `${prefix}0`,
      '%25',
      'xyz',
      `${prefix.slice(0, 8)}%27%20or%201=1`,
      '__proto__',
    ]) {
      expect([text, await revoke(text)]).toEqual([text, 404]);
    }
    let twin = await mint(agent.agentId, {}, agent.key);
    for (let tries = 0; twin.json.keyHashPrefix[0] !== prefix[0] && tries < 200; tries += 1) {
      await node.send(
        'DELETE',
        `${keysPath(agent.agentId)}/${twin.json.keyHashPrefix}`,
        undefined,
        agent.key,
      );
      twin = await mint(agent.agentId, {}, agent.key);
    }
    expect(await revoke(prefix.slice(0, 1))).toBe(409);
    expect(await revoke(prefix)).toBe(200);
  });
});

describe('a body', () => {
  test.each<[string, string, number]>([
    ['no JSON', 'x', 400],
    ['nothing', '', 400],
    ['an array', '[]', 422],
    ['stores that are text', '{"storeIds":"x"}', 422],
    ['a store that is no UUID', '{"storeIds":["x"]}', 422],
    ['a flag that is text', '{"readOnly":"yes"}', 422],
    ['a flag that is a number', '{"admin":1}', 422],
    ['a negative limit', '{"rateLimit":-1}', 422],
    ['a limit beyond 32 bits', '{"rateLimit":4294967296}', 422],
    ['a field twice', '{"admin":false,"admin":true}', 422],
    ['admin and readOnly', '{"admin":true,"readOnly":true}', 400],
    ['too many stores', JSON.stringify({ storeIds: Array<string>(1_001).fill(newUuid()) }), 400],
    ['names of prototypes', '{"__proto__":{"admin":true},"constructor":{"admin":true}}', 200],
  ])('of %s', async (_what, body, status) => {
    const { tenantId, agentId } = await newAgent();
    const admin = await newAdmin(tenantId);
    const answer = await node.send('POST', keysPath(agentId), body, admin);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.json.permissions).toBe('read_write');
  });
});

test('every change of keys stands in the audit log, with who made it and without the key', async () => {
  const tenantId = newUuid();
  const agentId = newUuid();
  const admin = (await node.send('POST', tenantPath(tenantId), { admin: true })).json;
  await node.send('POST', tenantPath(tenantId), { agentId });
  const made = (await mint(agentId, { readOnly: true }, admin.apiKey)).json;
  await node.send('DELETE', `${keysPath(agentId)}/${made.keyHashPrefix}`, undefined, admin.apiKey);
  await node.send('DELETE', `${tenantPath(tenantId)}/${admin.keyHashPrefix}`);
  const entries = await node.storage.auditEntries.list(
    { tenantId, action: null, from: null, to: null },
    { after: null, limit: 10 },
  );
  expect(entries.map(({ action, actor, resourceId }) => [action, actor, resourceId])).toEqual([
    ['api_key_revoked', 'bootstrap_admin', admin.keyHashPrefix],
    ['api_key_revoked', `tenant:${tenantId}`, made.keyHashPrefix],
    ['api_key_created', `tenant:${tenantId}`, made.keyHashPrefix],
    ['api_key_created', 'bootstrap_admin', expect.any(String)],
    ['api_key_created', 'bootstrap_admin', admin.keyHashPrefix],
  ]);
  expect(entries[2]).toMatchObject({ actorType: 'api_key', details: { agentId, permissions: 'read' } });
  expect(
    JSON.stringify(entries, (_name, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  ).not.toMatch(/ss_/);
});
