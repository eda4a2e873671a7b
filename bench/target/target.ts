import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type NodeProcess, startNodeProcess } from '../../bin/driver/node-process.ts';
import { makeScratchFolder, openScratchPostgres, withClient } from './postgres.ts';

/** The node that is measured, and what is known of what lies under it. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
  /** Null for a node that was not started here. */
  readonly pid: number | null;
  /** Null when its Postgres is not known: then there is no ceiling and no size on disk. */
  readonly databaseUrl: string | null;
  stop(): Promise<void>;
}

/**
 * Starts a node as a process of its own, on the Postgres given or on one that it starts and removes.
 *
 * The Postgres is opened here and not by the node, so that COPY and the sizes are measured on the same one.
 * @param env settings beside those of the bench, which they overrule
 */
export async function startTarget(
  databaseUrl: string | null,
  env: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const folder = makeScratchFolder();
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.reverse()) await stopOne();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ownUrl = databaseUrl ?? (await openPostgres(stops));
    const apiKey = env.BOOTSTRAP_ADMIN_API_KEY ?? `ss_${randomBytes(24).toString('base64url')}`;
    const node: NodeProcess = await startNodeProcess({
      env: {
        DATABASE_URL: ownUrl,
        ALLOW_INSECURE_LOCAL_DB: 'true',
        DATA_DIR: join(folder, 'node'),
        BOOTSTRAP_ADMIN_API_KEY: apiKey,
        LOG_LEVEL: 'warn',
        ...env,
      },
      // It ends with this process, however that ends.
      ownGroup: true,
    });
    stops.push(() => node.stop());
    return { url: node.url, apiKey, pid: node.pid, databaseUrl: ownUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openPostgres(stops: (() => Promise<unknown>)[]): Promise<string> {
  const postgres = await openScratchPostgres();
  stops.push(() => postgres.stop());
  return postgres.url;
}

export interface TableSizes {
  readonly events: number;
  /** Of the table of events with its indexes and TOAST, for each of its rows. */
  readonly eventTableBytes: number;
  /** Of everything else that grows with the events: entity counts, fence rows. */
  readonly otherBytes: number;
}

/** Bytes on disk for each event, after a vacuum, so that what autovacuum has not come to yet doesn't decide. */
export async function measureSizes(databaseUrl: string): Promise<TableSizes> {
  return withClient(databaseUrl, async (client) => {
    await client.query('vacuum (analyze) legacy_events');
    const { rows } = await client.query<{ events: string; bytes: string; other: string }>(
      `select count(*) as events, pg_total_relation_size('legacy_events') as bytes,
              pg_total_relation_size('entity_counts') + pg_total_relation_size('entity_watermarks') +
              pg_total_relation_size('streams') as other
         from legacy_events`,
    );
    const events = Number(rows[0]?.events ?? 0);
    const perEvent = (bytes: string | undefined): number => Number(bytes ?? 0) / Math.max(events, 1);
    return { events, eventTableBytes: perEvent(rows[0]?.bytes), otherBytes: perEvent(rows[0]?.other) };
  });
}
