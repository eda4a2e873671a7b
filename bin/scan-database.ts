import type pg from 'pg';
import { checkSchema } from '../storage/postgres/migrate.ts';
import { createPool } from '../storage/postgres/pool.ts';
import type { SessionOptions } from '../storage/postgres/session.ts';

/** How the sessions of commands that only look are named, unlike those of any node. */
const applicationName = 'sequencer-scan';

/** Sessions for commands that read a lot: a statement may take long, since nobody waits behind it. */
export function scanSession(url: string): SessionOptions {
  return {
    url,
    applicationName,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 3_600_000,
    idleInTransactionTimeoutMs: 60_000,
    lockTimeoutMs: 10_000,
  };
}

/**
 * A small pool on a database that has this version's schema.
 * @throws LogUnfit when it has another; what `pg` throws when it can't be reached
 */
export async function openScanPool(url: string): Promise<pg.Pool> {
  await checkSchema({ url, applicationName });
  return createPool({
    ...scanSession(url),
    connectionsMax: 2,
    connectionsMin: 0,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    lifetimeMaxMs: 3_600_000,
    log: { warn: () => undefined },
  });
}
