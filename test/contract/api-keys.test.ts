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

function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined); // The database is dropped while connections are closing.
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
    expect(await keys.findByHash(hash)).toEqual({ hash, active: true, principal });
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
    expect(await keys.findByHash(hash)).toEqual({ hash, active: false, principal: clerk });
  });

  test('an unknown key can not be revoked', async () => {
    expect(await keys.revoke(newHash())).toBe(false);
  });

  test('the bootstrap key becomes an active administrator, whatever it was', async () => {
    const hash = newHash();
    await keys.insertKey(hash, clerk);
    await keys.revoke(hash);
    await keys.upsertBootstrapKey(hash);
    await keys.upsertBootstrapKey(hash);
    expect(await keys.findByHash(hash)).toEqual({ hash, active: true, principal: bootstrapAdmin });
  });

  test('the revision grows with every change, and only then', async () => {
    const hash = newHash();
    const changes = [
      () => keys.insertKey(hash, clerk),
      () => keys.upsertBootstrapKey(hash),
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
  await expect(keys.revision()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(keys.findByHash(newHash())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await pool.end();
});
