import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../storage/postgres/migrate.ts';
import { findPostgresPrograms, type ServerName } from './postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

export type { ServerName } from './postgres-programs.ts';

/** Every server that the tests run against; a suite for the log goes through all of them. */
export const serverNames: readonly ServerName[] = ['embedded', 'debian'];

export interface TestDatabase {
  readonly url: string;
  /** Ends the sessions that are still in it, and drops it. */
  drop(): Promise<void>;
}

const templateName = 'sequencer_template';

/** A database of its own for a test file: a clone of the migrated template, or an empty one. */
export async function createTestDatabase(
  server: ServerName = 'embedded',
  options: { readonly empty?: boolean } = {},
): Promise<TestDatabase> {
  const adminUrl = process.env[urlVariable(server)];
  if (adminUrl === undefined) {
    throw new Error(
      `No ${server} Postgres runs: ${urlVariable(server)} is set by test/support/global-setup.ts.`,
    );
  }
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.empty === true ? 'template0' : templateName;
  await runAsAdmin(adminUrl, `create database ${name} template ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runAsAdmin(adminUrl, `drop database if exists ${name} with (force)`) };
}

/** Starts both servers and migrates a template database in each; for the test runner's global set-up. */
export async function startTestServers(): Promise<{ stop(): Promise<void> }> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((stopOne) => stopOne()));
  };
  const results = await Promise.allSettled(
    serverNames.map(async (name) => {
      const programs = findPostgresPrograms(name);
      const server = await startPostgresServer(programs);
      stops.push(async () => {
        await server.stop();
        programs.remove();
      });
      await makeTemplate(server);
      process.env[urlVariable(name)] = server.url;
    }),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return { stop };
}

async function makeTemplate(server: PostgresServer): Promise<void> {
  await runAsAdmin(server.url, `create database ${templateName} template template0`);
  const url = new URL(server.url);
  url.pathname = `/${templateName}`;
  await migrate({ url: url.href });
}

function urlVariable(server: ServerName): string {
  return `TEST_POSTGRES_${server.toUpperCase()}_URL`;
}

async function runAsAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
