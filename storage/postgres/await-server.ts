import pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { LogUnfit } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { toReadError } from './database-errors.ts';
import { serverSettings, type ServerSettings } from './queries/server-settings.query.ts';
import { read } from './query.ts';
import { openSession, type SessionOptions } from './session.ts';

export interface AwaitServerOptions {
  /** As the node will open its sessions. */
  readonly session: SessionOptions;
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

async function askServer({ session }: AwaitServerOptions): Promise<ServerSettings> {
  let client: pg.Client;
  try {
    client = await openSession(session);
  } catch (error) {
    if (isPoolersRefusal(error)) throw poolerInBetween('refuses', error);
    throw toReadError(error, 'connect to Postgres');
  }
  try {
    const [settings] = await read(client, serverSettings, null);
    if (settings!.statementTimeoutMs !== session.statementTimeoutMs) throw poolerInBetween('drops', null);
    return settings!;
  } finally {
    await client.end();
  }
}

/** PgBouncer, of our settings at the start of a session. */
function isPoolersRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.message.includes('unsupported startup parameter');
}

function poolerInBetween(does: 'refuses' | 'drops', cause: unknown): LogUnfit {
  return new LogUnfit(
    `DATABASE_URL leads to a pooler that ${does} the settings of our sessions: set DATABASE_POOLER=transaction, and ` +
      'DIRECT_DATABASE_URL to the address of Postgres itself.',
    {},
    { cause },
  );
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
