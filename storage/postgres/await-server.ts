import pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { LogUnfit } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { toReadError } from './database-errors.ts';
import { serverSettings, type ServerSettings } from './queries/server-settings.query.ts';
import { read } from './query.ts';

export interface AwaitServerOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** Tries after the first one. */
  readonly retriesMax: number;
  readonly retryDelayMs: number;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
}

const versionMin = 150_000;

/**
 * Waits until Postgres answers, and makes sure that it can keep our promises. To be called before `migrate`.
 * @throws LogUnavailable when it did not answer in any try
 * @throws LogUnfit when it is too old, read-only, or would lose commits in a crash
 */
export async function awaitServer(options: AwaitServerOptions): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      refuseUnfit(await askServer(options));
      return;
    } catch (error) {
      if (error instanceof LogUnfit || tries === options.retriesMax) throw error;
      options.log.warn({ err: error, tries }, 'Postgres does not answer yet');
      await options.clock.sleep(options.retryDelayMs);
    }
  }
}

async function askServer(options: AwaitServerOptions): Promise<ServerSettings> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
  });
  client.on('error', () => undefined); // The call that waits fails with it.
  try {
    await client.connect();
    return (await read(client, serverSettings, null))[0]!;
  } catch (error) {
    throw toReadError(error, 'connect to Postgres');
  } finally {
    await client.end();
  }
}

/** @throws LogUnfit whose sentence ends with the way out */
export function refuseUnfit({
  versionNumber,
  version,
  fsync,
  fullPageWrites,
  isStandby,
}: ServerSettings): void {
  if (versionNumber < versionMin) {
    throw new LogUnfit(`Postgres ${version} is too old: use version 15 or newer.`, { version });
  }
  if (isStandby) {
    throw new LogUnfit('Postgres is a read-only standby: give the address of the primary.');
  }
  if (!fsync) {
    throw new LogUnfit(
      'Postgres runs with fsync off, so a crash would lose acknowledged events: set fsync = on in postgresql.conf.',
    );
  }
  if (!fullPageWrites) {
    throw new LogUnfit(
      'Postgres runs with full_page_writes off, so a crash may corrupt stored events: set full_page_writes = on in ' +
        'postgresql.conf.',
    );
  }
}
