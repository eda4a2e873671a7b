import pg from 'pg';

import { LogUnfit } from '../../domain/errors.ts';
import { superuser } from './cluster.ts';

interface Address {
  readonly port: number;
  readonly password: string;
}

export interface ServerFacts {
  /** `18.4`, without what a packager adds to it. */
  readonly version: string;
  readonly connectionsMax: number;
  readonly clusterDirectory: string;
}

export const databaseName = 'stateset_sequencer';

/** The URL of a database on the embedded server. */
export function urlOf({ port, password }: Address, database: string): string {
  return `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * What the server on this port is, or null while none answers there.
 * @throws LogUnfit when one answers and our password is not its own
 */
export async function askServer(address: Address): Promise<ServerFacts | null> {
  try {
    return await onServer(address, async (client) => {
      const { rows } = await client.query<{ version: string; connections: string; directory: string }>(
        `select current_setting('server_version') as version, current_setting('max_connections') as connections,
                current_setting('data_directory') as directory`,
      );
      const [row] = rows;
      if (row === undefined) return null;
      return {
        version: row.version.split(' ')[0] ?? '',
        connectionsMax: Number(row.connections),
        clusterDirectory: row.directory,
      };
    });
  } catch (cause) {
    if (cause instanceof pg.DatabaseError && cause.code === '28P01') {
      throw new LogUnfit(
        'The password in DATA_DIR does not open the Postgres that runs on it: restore the file postgres-password that belongs to it.',
        {},
        { cause },
      );
    }
    return null;
  }
}

/** Makes the sequencer's database unless it is there. */
export async function makeDatabase(address: Address): Promise<void> {
  await onServer(address, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${databaseName}`);
  });
}

async function onServer<Result>(
  address: Address,
  run: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: urlOf(address, 'postgres'),
    application_name: 'stateset-sequencer-start',
    connectionTimeoutMillis: 2_000,
    query_timeout: 10_000,
  });
  client.on('error', () => undefined); // A lost connection also fails the query that waits.
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
