import pg from 'pg';
import type { Micros, Uuid } from '../../domain/types.ts';
import type { NewAgentKey } from '../../domain/ves/agent-key.ts';
import { parseTimestamp } from '../../domain/time.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { AgentKeys } from '../../storage/agent-keys.ts';
import { MemoryAgentKeys } from '../../storage/memory/memory-agent-keys.ts';
import { postgresAgentKeys } from '../../storage/postgres/agent-keys.ts';
import { createTestDatabase, serverNames } from '../support/postgres.ts';

const tenantId = 'aaaaaaaa-0000-4000-8000-000000000001' as Uuid;
const microsPerHour = 3_600_000_000n;

let lastAgent = 0;
/** A key of an agent that no other test has. */
function newKey(fields: Partial<NewAgentKey> = {}): NewAgentKey {
  lastAgent += 1;
  return {
    tenantId,
    agentId: `cccccccc-0000-4000-8000-${lastAgent.toString().padStart(12, '0')}` as Uuid,
    keyId: 1,
    publicKey: Uint8Array.from({ length: 32 }, (_, index) => index * 7),
    algorithm: 1,
    validFrom: null,
    validTo: null,
    ...fields,
  };
}

interface Opened {
  readonly keys: AgentKeys;
  readonly close: () => Promise<void>;
}

const implementations: readonly (readonly [string, () => Promise<Opened>])[] = [
  [
    'memory',
    () =>
      Promise.resolve({
        keys: new MemoryAgentKeys(() => systemClock.nowMicros()),
        close: () => Promise.resolve(),
      }),
  ],
  ...serverNames.map(
    (name) =>
      [
        `postgres, ${name}`,
        async (): Promise<Opened> => {
          const database = await createTestDatabase(name);
          // Times are read in UTC, as in the sessions of the product.
          const pool = new pg.Pool({ connectionString: database.url, max: 4, options: '-c timezone=UTC' });
          // Dropping the database may find a connection that the pool is still closing.
          pool.on('error', () => undefined);
          const close = async (): Promise<void> => {
            await pool.end();
            await database.drop();
          };
          return { keys: postgresAgentKeys(pool), close };
        },
      ] as const,
  ),
];

describe.each(implementations)('agent keys in %s', (_name, open) => {
  let opened: Opened;
  let keys: AgentKeys;
  beforeAll(async () => {
    opened = await open();
    keys = opened.keys;
  });
  afterAll(() => opened.close());

  test('a key that nobody registered is found to be nothing', async () => {
    expect(await keys.find(newKey())).toBeNull();
    expect(await keys.revoke(newKey())).toBeNull();
  });

  test.each<[string, Partial<NewAgentKey>]>([
    ['no bounds', {}],
    ['the algorithm left open', { algorithm: 0 }],
    ['the largest number', { keyId: 4_294_967_295 }],
    ['number 0', { keyId: 0 }],
    [
      'both bounds, to the microsecond',
      { validFrom: 1n as Micros, validTo: 1_700_000_000_123_457n as Micros },
    ],
    [
      'the first and the last instant that can be written',
      {
        validFrom: parseTimestamp('0000-01-01T00:00:00Z')!,
        validTo: parseTimestamp('9999-12-31T23:59:59.999999Z')!,
      },
    ],
  ])('a key comes back with %s', async (_facts, fields) => {
    const key = newKey(fields);
    expect(await keys.register(key)).toBe(true);
    const found = await keys.find(key);
    expect({ ...found, publicKey: Uint8Array.from(found!.publicKey) }).toEqual({
      ...key,
      revokedAt: null,
      createdAt: expect.any(BigInt),
    });
    const ago = systemClock.nowMicros() - found!.createdAt;
    expect(ago > -microsPerHour && ago < microsPerHour).toBe(true);
  });

  test('a number is given once, and stays taken', async () => {
    const key = newKey();
    expect(await keys.register(key)).toBe(true);
    expect(await keys.register({ ...key, publicKey: new Uint8Array(32) })).toBe(false);
    await keys.revoke(key);
    expect(await keys.register(key)).toBe(false);
    expect(Uint8Array.from((await keys.find(key))!.publicKey)).toEqual(key.publicKey);
  });

  test('the same number of another agent or tenant is another key', async () => {
    const key = newKey();
    await keys.register(key);
    expect(await keys.find({ ...key, agentId: tenantId })).toBeNull();
    expect(await keys.register({ ...key, tenantId: key.agentId })).toBe(true);
  });

  test('a revocation is kept with the time of the first', async () => {
    const key = newKey();
    await keys.register(key);
    const revoked = await keys.revoke(key);
    expect(revoked!.revokedAt).toEqual(expect.any(BigInt));
    expect(await keys.revoke(key)).toEqual(revoked);
    expect(await keys.find(key)).toEqual(revoked);
  });

  test('an agent has its keys in pages, by their numbers', async () => {
    const { agentId } = newKey();
    for (const keyId of [30, 4_294_967_295, 2, 10]) await keys.register(newKey({ agentId, keyId }));
    await keys.register(newKey());
    const page = async (afterKeyId: number | null, limit: number) =>
      (await keys.list({ tenantId, agentId }, { afterKeyId, limit })).map(({ keyId }) => keyId);
    expect(await page(null, 10)).toEqual([2, 10, 30, 4_294_967_295]);
    expect(await page(null, 2)).toEqual([2, 10]);
    expect(await page(10, 2)).toEqual([30, 4_294_967_295]);
    expect(await page(4_294_967_295, 2)).toEqual([]);
  });

  test('the revision grows with every change, and only then', async () => {
    const key = newKey();
    let before = await keys.revision();
    for (const change of [() => keys.register(key), () => keys.revoke(key)]) {
      expect(await keys.revision()).toBe(before);
      await change();
      const after = await keys.revision();
      expect(after).toBeGreaterThan(before);
      before = after;
    }
  });
});

test('agent keys in a Postgres that is not there fail as pushback', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  const keys = postgresAgentKeys(pool);
  await expect(keys.revision()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(keys.find(newKey())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await pool.end();
});
