import pg from 'pg';
import type { Log } from '../../telemetry/log.ts';
import { type DatabaseObserver, observePool } from './database-observer.ts';
import { KeptPlansClient } from './kept-plans-client.ts';
import { SharedClient } from './shared-client.ts';
import { prepareSession, sessionConfig, type SessionOptions } from './session.ts';

export interface PoolOptions extends SessionOptions {
  readonly connectionsMax: number;
  /** Kept open when idle. */
  readonly connectionsMin: number;
  /** How long a caller waits for a connection, free or new. */
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMaxMs: number;
  readonly log: Pick<Log, 'warn'>;
  readonly observer?: DatabaseObserver;
}

export interface PoolFigures {
  readonly max: number;
  readonly total: number;
  readonly idle: number;
  readonly active: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  /** Connections handed out since the start. */
  readonly acquired: number;
}

/**
 * A plan that is kept may have been made while the tables were empty. It then takes any index that begins with the store,
 * and reads a million events to find one. So only statements keep theirs that say so (kept-plans-client.ts).
 */
const planning = { plan_cache_mode: 'force_custom_plan' };

const acquiredBy = new WeakMap<pg.Pool, number>();

/** The pool for everything but appends, which have connections of their own. Connects when first used. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    ...sessionConfig({ ...options, settings: { ...planning, ...options.settings } }),
    // The pool gives its own options to the clients that it makes, whatever their type says.
    Client: (options.pooler === 'transaction'
      ? SharedClient
      : KeptPlansClient) as unknown as new () => pg.Client,
    max: options.connectionsMax,
    min: options.connectionsMin,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: options.idleTimeoutMs,
    maxLifetimeSeconds: options.lifetimeMaxMs / 1_000,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, its types forget that
    onConnect: prepareSession,
  });
  if (options.observer !== undefined) observePool(pool, options.observer);
  pool.on('acquire', () => acquiredBy.set(pool, (acquiredBy.get(pool) ?? 0) + 1));
  // The loss of an idle connection has no caller; unheard, it would end the process. The pool opens another.
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle connection to Postgres was lost'));
  return pool;
}

export function poolFigures(pool: pg.Pool): PoolFigures {
  const { totalCount: total, idleCount: idle, waitingCount: waiting } = pool;
  return {
    max: pool.options.max,
    total,
    idle,
    active: total - idle,
    waiting,
    acquired: acquiredBy.get(pool) ?? 0,
  };
}
