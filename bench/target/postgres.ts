import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openEmbeddedPostgres } from '../../storage/embedded/embedded-postgres.ts';

/** A directory that is gone afterwards, with a Postgres in it. */
export interface ScratchPostgres {
  /** Of an empty database. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function openScratchPostgres(): Promise<ScratchPostgres> {
  const folder = makeScratchFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const dataDir = join(folder, 'postgres');
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o755);
    const postgres = await openEmbeddedPostgres({ dataDir });
    return { url: postgres.url, stop: () => postgres.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
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
