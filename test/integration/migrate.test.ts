import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { checkSchema, migrate } from '../../storage/postgres/migrate.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const migrations = join(import.meta.dirname, '..', '..', 'migrations');

describe.each(serverNames)('migrating on %s', (server) => {
  let database: TestDatabase;
  let directory: string;

  beforeEach(async () => {
    database = await createTestDatabase(server, { empty: true });
    directory = await mkdtemp(join(tmpdir(), 'sequencer-migrations-'));
    await cp(migrations, directory, { recursive: true });
  });

  afterEach(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const query = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  test('twenty nodes that migrate at once apply each migration once', async () => {
    const applied = await Promise.all(
      Array.from({ length: 20 }, () => migrate({ url: database.url, directory })),
    );
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    const recorded = await query('select name from schema_migrations order by name');
    expect(recorded.map((row) => row.name)).toEqual(applied.find((names) => names.length > 0));
    await expect(checkSchema({ url: database.url, directory })).resolves.toBeUndefined();
  });

  test('a migration added later is applied alone', async () => {
    await migrate({ url: database.url, directory });
    await writeFile(
      join(directory, '9998_later.sql'),
      'create table later (n int); insert into later values (1);',
    );
    await expect(checkSchema({ url: database.url, directory })).rejects.toMatchObject({
      code: 'LOG_UNFIT',
      message: expect.stringContaining('9998_later.sql'),
    });
    await expect(migrate({ url: database.url, directory })).resolves.toEqual(['9998_later.sql']);
    await expect(query('select n from later')).resolves.toEqual([{ n: 1 }]);
  });

  test('a migration that fails leaves no trace', async () => {
    await migrate({ url: database.url, directory });
    await writeFile(join(directory, '9998_broken.sql'), 'create table half (n int); select 1 / 0;');
    await expect(migrate({ url: database.url, directory })).rejects.toThrow('division by zero');
    await expect(query("select to_regclass('half') as half")).resolves.toEqual([{ half: null }]);
  });

  test('a migration that Postgres ends for a deadlock with a running node begins again', async () => {
    await migrate({ url: database.url, directory });
    await writeFile(
      join(directory, '9998_in_another_order.sql'),
      `alter table streams add column later text;
       select pg_sleep(1);
       alter table legacy_events add column later text;`,
    );
    const node = new pg.Client({ connectionString: database.url });
    await node.connect();
    try {
      // So that it is the migration that finds the deadlock.
      await node.query(`set deadlock_timeout = '1min'; begin; lock table legacy_events in access share mode`);
      const migrating = migrate({ url: database.url, directory });
      const isLocked = `select from pg_locks where relation = 'streams'::regclass and mode = 'AccessExclusiveLock' and granted`;
      await until('the first table is locked', async () => (await query(isLocked)).length > 0);
      await node.query('lock table streams in access share mode; commit');
      await expect(migrating).resolves.toEqual(['9998_in_another_order.sql']);
    } finally {
      await node.end();
    }
  });

  test('a database newer than the code is refused', async () => {
    await writeFile(join(directory, '9999_newer.sql'), 'create table newer (n int);');
    await migrate({ url: database.url, directory });
    const expected = { code: 'LOG_UNFIT', message: expect.stringContaining('run the newer version') };
    await expect(migrate({ url: database.url })).rejects.toMatchObject(expected);
    await expect(checkSchema({ url: database.url })).rejects.toMatchObject(expected);
  });

  test('a changed text of an applied migration is refused', async () => {
    await migrate({ url: database.url, directory });
    await writeFile(join(directory, '0001_streams.sql'), 'select 1;');
    await expect(migrate({ url: database.url, directory })).rejects.toMatchObject({
      code: 'LOG_UNFIT',
      message: expect.stringContaining('0001_streams.sql'),
    });
  });

  test('an empty database fails the check of the schema', async () => {
    await expect(checkSchema({ url: database.url, directory })).rejects.toMatchObject({ code: 'LOG_UNFIT' });
  });
});
