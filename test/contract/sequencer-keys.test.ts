import pg from 'pg';
import type { Uuid } from '../../domain/types.ts';
import { postgresSequencerKeys } from '../../storage/postgres/sequencer-keys.ts';
import type { SequencerKeys } from '../../storage/sequencer-keys.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';

const publicKey = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

describe.each(serverNames)('the keys of the sequencer in Postgres, %s', (name) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let keys: SequencerKeys;
  beforeEach(async () => {
    database = await createTestDatabase(name);
    pool = new pg.Pool({ connectionString: database.url, max: 8, options: '-c timezone=UTC' });
    pool.on('error', () => undefined);
    keys = postgresSequencerKeys(pool);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  test('nodes that start at once on a new database get one identity', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => keys.identity(null)));
    expect(new Set(ids).size).toBe(1);
    expect(await keys.identity(null)).toBe(ids[0]);
  });

  test('an identity that is given stays', async () => {
    const [first, second] = ['1', '2'].map((end) => `aaaaaaaa-0000-4000-8000-00000000000${end}` as Uuid);
    await keys.identity(null);
    expect(await keys.identity(first!)).toBe(first);
    expect(await keys.identity(null)).toBe(first);
    expect(await keys.identity(second!)).toBe(second);
    expect(await keys.identity(null)).toBe(second);
  });

  test('a key has one version, whoever uses it and however often', async () => {
    expect(await keys.recordUse(publicKey(1), 'a')).toBe(1);
    expect(await keys.recordUse(publicKey(1), 'a')).toBe(1);
    expect(await keys.recordUse(publicKey(1), 'b')).toBe(1);
    expect(await keys.recordUse(publicKey(2), 'a')).toBe(2);
    const versions = await Promise.all(Array.from({ length: 8 }, () => keys.recordUse(publicKey(3), 'c')));
    expect(new Set(versions).size).toBe(1);
  });

  test('every key is listed with its period and the node that used it last', async () => {
    await keys.recordUse(publicKey(1), 'a');
    await keys.recordUse(publicKey(2), 'b');
    const [before] = await keys.list();
    await keys.recordUse(publicKey(1), 'c');
    const list = await keys.list();
    expect(list.map(({ keyVersion, nodeId }) => [keyVersion, nodeId])).toEqual([
      [1, 'c'],
      [2, 'b'],
    ]);
    expect(Uint8Array.from(list[0]!.publicKey)).toEqual(publicKey(1));
    expect(list[0]!.firstUsedAt).toBe(before!.firstUsedAt);
    expect(list[0]!.lastUsedAt).toBeGreaterThan(before!.lastUsedAt);
  });
});
