import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { guardPostgres } from '../../bin/driver/guard.ts';
import { openEmbeddedPostgres } from '../../storage/embedded/embedded-postgres.ts';

/** A directory that is gone afterwards, with a Postgres in it. */
export interface ScratchPostgres {
  /** Of an empty database. */
  readonly url: string;
  /** Of the postmaster, whose children are the sessions. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts one that ends with this process, however that ends: by Ctrl-C, by a signal or by itself. */
export async function openScratchPostgres(): Promise<ScratchPostgres> {
  const folder = makeScratchFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const dataDir = join(folder, 'postgres');
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o755);
    const server = await openEmbeddedPostgres({ dataDir, keepRunning: false });
    const { url, dataDirectory } = server;
    const guard = guardPostgres(dataDirectory, folder);
    const end = async (): Promise<void> => {
      await server.stop();
      guard.release();
      remove();
    };
    const pid = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    return { url, pid, stop: end };
  } catch (error) {
    remove();
    throw error;
  }
}

export interface ScratchDatabase {
  readonly url: string;
  /** Ends its sessions as well. */
  drop(): Promise<void>;
}

/** An empty database of its own on a server that runs. */
export async function openScratchDatabase(serverUrl: string): Promise<ScratchDatabase> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = name;
  const drop = async (): Promise<void> => {
    await withClient(serverUrl, (client) => client.query(`drop database ${name} with (force)`));
  };
  return { url: url.href, drop };
}

/** Postgres does not run as root, so another user must get in. */
export function makeScratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sequencer-bench-'));
  chmodSync(folder, 0o755);
  return folder;
}

export async function postgresVersion(databaseUrl: string): Promise<string> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  });
}

export async function withClient<Result>(
  url: string,
  run: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
