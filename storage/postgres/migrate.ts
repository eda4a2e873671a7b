import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { LogUnfit } from '../../domain/errors.ts';

export interface MigrateOptions {
  readonly url: string;
  readonly applicationName?: string;
  /** Where the numbered `.sql` files lie; those of this version unless given. */
  readonly directory?: string;
}

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const directoryOfThisVersion = join(import.meta.dirname, '..', '..', 'migrations');

const deadlockDetected = '40P01';
const triesMax = 10;

/** Any number, the same in every version: all migrators of a database queue behind this lock. */
const lockKey = 7_316_031_120_240_715n;

/**
 * Brings the database to this version's schema and returns the names of the migrations that it applied.
 *
 * Forward only, and safe when many nodes start at once: everything happens in one transaction that first takes an
 * advisory lock of its own, so that it also works through a pooler that shares connections by transaction. A
 * migration therefore can't hold a statement that refuses transactions, such as `create index concurrently`. Nodes of the
 * version before may run meanwhile: a migration that locks their tables in another order than they do, and is the one that
 * Postgres ends for it, begins again.
 * @throws LogUnfit when the database is newer than this version, or an applied migration's text has changed
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await migrateOnce(options);
    } catch (error) {
      const isDeadlock = error instanceof pg.DatabaseError && error.code === deadlockDetected;
      if (!isDeadlock || tries === triesMax) throw error;
    }
  }
}

function migrateOnce(options: MigrateOptions): Promise<string[]> {
  return inTransaction(options, async (client, migrations) => {
    await client.query(`create table if not exists schema_migrations (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now())`);
    const pending = pendingMigrations(migrations, await readApplied(client));
    for (const { name, text, checksum } of pending) {
      await client.query(text);
      await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    }
    return pending.map(({ name }) => name);
  });
}

/**
 * For nodes that may not change the schema: passes when it is exactly this version's.
 * @throws LogUnfit when it is older, newer or changed
 */
export async function checkSchema(options: MigrateOptions): Promise<void> {
  await inTransaction(options, async (client, migrations) => {
    const found = await client.query<{ found: boolean }>(
      `select to_regclass('schema_migrations') is not null as found`,
    );
    const applied = found.rows[0]?.found === true ? await readApplied(client) : [];
    const missing = pendingMigrations(migrations, applied).map(({ name }) => name);
    if (missing.length > 0) {
      throw new LogUnfit(
        `The database lacks ${missing.join(', ')}: start a node once with DB_MIGRATE_ON_STARTUP=true, which applies them.`,
        { missing },
      );
    }
  });
}

async function inTransaction<Result>(
  { url, applicationName = 'stateset-sequencer-migrate', directory = directoryOfThisVersion }: MigrateOptions,
  run: (client: pg.Client, migrations: readonly Migration[]) => Promise<Result>,
): Promise<Result> {
  const migrations = await readMigrations(directory);
  const client = new pg.Client({ connectionString: url, application_name: applicationName });
  client.on('error', () => undefined); // A lost connection also fails the statement that waits.
  await client.connect();
  try {
    await client.query('begin; set local statement_timeout = 0; set local lock_timeout = 0');
    await client.query('select pg_advisory_xact_lock($1)', [lockKey.toString()]);
    const result = await run(client, migrations);
    await client.query('commit');
    return result;
  } finally {
    await client.end(); // Without a commit before it, this rolls back.
  }
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      // A checkout that turns line ends must not look like a changed migration.
      const text = (await readFile(join(directory, name), 'utf8')).replaceAll('\r\n', '\n');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function readApplied(client: pg.Client): Promise<{ name: string; checksum: string }[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name collate "C"',
  );
  return rows;
}

/** Those after the last applied one. What was applied must be the same files, in the same order. */
function pendingMigrations(
  migrations: readonly Migration[],
  applied: readonly { readonly name: string; readonly checksum: string }[],
): readonly Migration[] {
  for (const [index, { name, checksum }] of applied.entries()) {
    const known = migrations[index];
    if (known?.name !== name) {
      throw new LogUnfit(
        `The database has the migration ${name}, which this version does not know: run the newer version.`,
        { name },
      );
    }
    if (known.checksum !== checksum) {
      throw new LogUnfit(
        `The text of ${name} is not the one applied to the database: restore the file, and put changes in a new one.`,
        { name },
      );
    }
  }
  return migrations.slice(applied.length);
}
