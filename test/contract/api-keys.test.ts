import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { ApiKeyHash, Uuid } from '../../domain/types.ts';
import type { ApiKeys } from '../../storage/api-keys.ts';
import { MemoryApiKeys } from '../../storage/memory/memory-api-keys.ts';
import { postgresApiKeys } from '../../storage/postgres/api-keys.ts';
import { createTestDatabase, serverNames } from '../support/postgres.ts';

const clerk: Principal = {
  tenantId: 'aaaaaaaa-0000-4000-8000-000000000001' as Uuid,
  storeIds: ['bbbbbbbb-0000-4000-8000-000000000002' as Uuid, 'bbbbbbbb-0000-4000-8000-000000000001' as Uuid],
  agentId: 'cccccccc-0000-4000-8000-000000000001' as Uuid,
  read: true,
  write: false,
  admin: false,
  requestsPerMinuteMax: 4_294_967_295,
};

let lastHash = 0;
function newHash(): ApiKeyHash {
  lastHash += 1;
  return lastHash.toString(16).padStart(64, '0') as ApiKeyHash;
}

function newUuid(): Uuid {
  return randomUUID() as string as Uuid;
}

function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // Dropping the database may find a connection that the pool is still closing.
  pool.on('error', () => undefined);
  return pool;
}

interface Opened {
  readonly keys: ApiKeys;
  readonly close: () => Promise<void>;
}

function openMemory(): Promise<Opened> {
  return Promise.resolve({ keys: new MemoryApiKeys(), close: () => Promise.resolve() });
}

const implementations: [string, () => Promise<Opened>][] = [
  ['memory', openMemory],
  ...serverNames.map((name): [string, () => Promise<Opened>] => [
    `postgres, ${name}`,
    async () => {
      const database = await createTestDatabase(name);
      const pool = openPool(database.url);
      const close = async (): Promise<void> => {
        await pool.end();
        await database.drop();
      };
      return { keys: postgresApiKeys(pool), close };
    },
  ]),
];

describe.each(implementations)('API keys in %s', (_name, open) => {
  let opened: Opened;
  let keys: ApiKeys;
  beforeAll(async () => {
    opened = await open();
    keys = opened.keys;
  });
  afterAll(() => opened.close());

  test('an unknown hash is found to be nothing', async () => {
    expect(await keys.findByHash(newHash())).toBeNull();
  });

  test('there is an active key exactly while one was added and not revoked', async () => {
    const hash = newHash();
    expect(await keys.hasActiveKey()).toBe(false);
    await keys.insertKey(hash, clerk);
    expect(await keys.hasActiveKey()).toBe(true);
    await keys.revoke(hash);
    expect(await keys.hasActiveKey()).toBe(false);
  });

  test.each<[string, Principal]>([
    ['all its facts', clerk],
    ['no list of stores', { ...clerk, storeIds: [] }],
    ['no agent and no limit', { ...clerk, agentId: null, requestsPerMinuteMax: null }],
    ['a limit of zero', { ...clerk, requestsPerMinuteMax: 0 }],
    ['every permission', { ...clerk, write: true, admin: true }],
    ['no permission', { ...clerk, read: false }],
  ])('a key comes back with %s', async (_facts, principal) => {
    const hash = newHash();
    await keys.insertKey(hash, principal);
    expect(await keys.findByHash(hash)).toMatchObject({ hash, active: true, principal });
  });

  test('a hash is added once', async () => {
    const hash = newHash();
    await keys.insertKey(hash, clerk);
    await expect(keys.insertKey(hash, bootstrapAdmin)).rejects.toMatchObject({ kind: 'corrupt' });
    expect(await keys.findByHash(hash)).toMatchObject({ principal: clerk });
  });

  test('a revoked key is kept, and is not active', async () => {
    const hash = newHash();
    await keys.insertKey(hash, clerk);
    expect(await keys.revoke(hash)).toBe(true);
    expect(await keys.revoke(hash)).toBe(false);
    expect(await keys.findByHash(hash)).toMatchObject({ hash, active: false, principal: clerk });
  });

  test('an unknown key can not be revoked', async () => {
    expect(await keys.revoke(newHash())).toBe(false);
  });

  test('an installed bootstrap key becomes an active administrator, whatever it was', async () => {
    const hash = newHash();
    await keys.insertKey(hash, clerk);
    expect(await keys.installBootstrapKey(hash, { replaceOthers: false })).toBe(true);
    expect(await keys.installBootstrapKey(hash, { replaceOthers: false })).toBe(true);
    expect(await keys.findByHash(hash)).toMatchObject({ active: true, principal: bootstrapAdmin });
  });

  test('a revoked key is not installed again', async () => {
    const hash = newHash();
    await keys.installBootstrapKey(hash, { replaceOthers: false });
    await keys.revoke(hash);
    expect(await keys.installBootstrapKey(hash, { replaceOthers: true })).toBe(false);
    expect(await keys.findByHash(hash)).toMatchObject({ active: false });
  });

  test('an installed bootstrap key replaces the others that were installed, and no other key', async () => {
    const [first, second, third, made] = [newHash(), newHash(), newHash(), newHash()];
    await keys.insertKey(made, bootstrapAdmin);
    await keys.installBootstrapKey(first, { replaceOthers: true });
    await keys.installBootstrapKey(second, { replaceOthers: false });
    expect(await keys.findByHash(first)).toMatchObject({ active: true });
    await keys.installBootstrapKey(third, { replaceOthers: true });
    const active = await Promise.all([first, second, third, made].map((hash) => keys.findByHash(hash)));
    expect(active.map((record) => record?.active)).toEqual([false, false, true, true]);
  });

  test('of several bootstrap keys that are installed at once, one stays', async () => {
    const hashes = Array.from({ length: 8 }, newHash);
    await Promise.all(hashes.map((hash) => keys.installBootstrapKey(hash, { replaceOthers: true })));
    const records = await Promise.all(hashes.map((hash) => keys.findByHash(hash)));
    expect(records.filter((record) => record?.active === true)).toHaveLength(1);
  });

  test('an owner has no more active keys than it may', async () => {
    const tenantId = newUuid();
    const ofTenant = { ...clerk, tenantId, agentId: null };
    const ofAgent = { ...clerk, tenantId };
    const first = newHash();
    expect(await keys.insertKey(first, ofTenant, 2)).toBe(true);
    expect(await keys.insertKey(newHash(), ofTenant, 2)).toBe(true);
    const third = newHash();
    expect(await keys.insertKey(third, ofTenant, 2)).toBe(false);
    expect(await keys.findByHash(third)).toBeNull();
    expect(await keys.insertKey(newHash(), ofAgent, 2)).toBe(true);
    await keys.revoke(first);
    expect(await keys.insertKey(third, ofTenant, 2)).toBe(true);
  });

  test("lists an owner's keys from the newest on, page by page", async () => {
    const tenantId = newUuid();
    const agent = { tenantId, agentId: newUuid() };
    const hashes: ApiKeyHash[] = [];
    for (const agentId of [agent.agentId, null, agent.agentId, newUuid(), agent.agentId]) {
      const hash = newHash();
      hashes.unshift(hash);
      await keys.insertKey(hash, { ...clerk, tenantId, agentId });
    }
    await keys.insertKey(newHash(), { ...clerk, ...agent, tenantId: newUuid() });
    await keys.revoke(hashes[0] ?? newHash());

    const list = async (agentId: Uuid | null, afterPrefix: string | null, limit: number) =>
      (await keys.list({ tenantId, agentId }, { afterPrefix, limit })).map(({ hash }) => hash);
    expect(await list(null, null, 10)).toEqual(hashes);
    expect(await list(null, null, 2)).toEqual(hashes.slice(0, 2));
    expect(await list(null, hashes[1] ?? '', 2)).toEqual(hashes.slice(2, 4));
    expect(await list(null, hashes[4] ?? '', 2)).toEqual([]);
    expect(await list(null, 'ffff', 2)).toEqual([]);
    expect(await list(agent.agentId, null, 10)).toEqual([hashes[0], hashes[2], hashes[4]]);
    expect(await list(newUuid(), null, 10)).toEqual([]);
  });

  test("finds an owner's keys by how their hashes begin", async () => {
    const owner = { tenantId: newUuid(), agentId: newUuid() };
    const [first, second] = [newHash(), newHash()];
    for (const hash of [second, first]) await keys.insertKey(hash, { ...clerk, ...owner });
    const find = async (prefix: string, limit = 9) =>
      (await keys.findByPrefix(owner, prefix, limit)).map(({ hash }) => hash);
    expect(await find(first)).toEqual([first]);
    expect(await find('0000')).toEqual([first, second]);
    expect(await find('0000', 1)).toEqual([first]);
    expect(await find('%')).toEqual([]);
    expect(await keys.findByPrefix({ ...owner, agentId: newUuid() }, first, 9)).toEqual([]);
    expect(await keys.findByPrefix({ ...owner, tenantId: newUuid() }, first, 9)).toEqual([]);
    expect(await keys.findByPrefix({ ...owner, agentId: null }, first, 9)).toHaveLength(1);
  });

  test("finds an agent's last changed key, and the agent's tenants", async () => {
    const agentId = newUuid();
    const [here, there] = [newUuid(), newUuid()].sort() as [Uuid, Uuid];
    expect(await keys.findLatest({ tenantId: here, agentId })).toBeNull();
    expect(await keys.tenantsOfAgent(agentId, 2)).toEqual([]);
    const [first, second] = [newHash(), newHash()];
    await keys.insertKey(first, { ...clerk, tenantId: here, agentId });
    await keys.insertKey(second, { ...clerk, tenantId: here, agentId });
    expect(await keys.findLatest({ tenantId: here, agentId })).toMatchObject({ hash: second });
    await keys.revoke(first);
    expect(await keys.findLatest({ tenantId: here, agentId })).toMatchObject({ hash: first, active: false });
    await keys.insertKey(newHash(), { ...clerk, tenantId: there, agentId });
    expect(await keys.tenantsOfAgent(agentId, 2)).toEqual([here, there]);
    expect(await keys.tenantsOfAgent(agentId, 1)).toEqual([here]);
  });

  test('the revision grows with every change, and only then', async () => {
    const hash = newHash();
    const changes = [
      () => keys.insertKey(hash, clerk),
      () => keys.installBootstrapKey(hash, { replaceOthers: false }),
      () => keys.revoke(hash),
    ];
    let before = await keys.revision();
    for (const change of changes) {
      expect(await keys.revision()).toBe(before);
      await change();
      const after = await keys.revision();
      expect(after).toBeGreaterThan(before);
      before = after;
    }
  });
});

describe.each(serverNames)('the revision in Postgres, %s', (name) => {
  test.each([
    ['an update by hand', `update api_keys set can_read = false`],
    ['a deletion by hand', `delete from api_keys`],
    ['an emptied table', `truncate api_keys`],
  ])('grows with %s', async (_change, statement) => {
    const database = await createTestDatabase(name);
    const pool = openPool(database.url);
    try {
      const keys = postgresApiKeys(pool);
      await keys.insertKey(newHash(), clerk);
      const before = await keys.revision();
      await pool.query(statement);
      expect(await keys.revision()).toBeGreaterThan(before);
    } finally {
      await pool.end();
      await database.drop();
    }
  });

  test('is not seen before the change is committed', async () => {
    const database = await createTestDatabase(name);
    const pool = openPool(database.url);
    const client = await pool.connect();
    try {
      const keys = postgresApiKeys(pool);
      const hash = newHash();
      await keys.insertKey(hash, clerk);
      const before = await keys.revision();
      await client.query('begin');
      await client.query('update api_keys set active = false where key_hash = $1', [hash]);
      expect(await keys.revision()).toBe(before);
      expect(await keys.findByHash(hash)).toMatchObject({ active: true });
      await client.query('commit');
      expect(await keys.revision()).toBeGreaterThan(before);
    } finally {
      client.release();
      await pool.end();
      await database.drop();
    }
  });
});

test('keys in a Postgres that is not there fail as pushback', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  const keys = postgresApiKeys(pool);
  const install = keys.installBootstrapKey(newHash(), { replaceOthers: true });
  await expect(install).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(keys.revision()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(keys.findByHash(newHash())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await pool.end();
});
