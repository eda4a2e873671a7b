import type pg from 'pg';
import type { Settings } from '../config/read-settings.ts';
import { type CircuitBreaker, circuitLimits } from '../domain/resilience/circuit-breaker.ts';
import { systemClock } from '../services/system-clock.ts';
import { createPool } from '../storage/postgres/pool.ts';
import { Replica, type ReplicaOutcome } from '../storage/postgres/replica.ts';
import type { SessionOptions } from '../storage/postgres/session.ts';
import type { Log } from '../telemetry/log.ts';
import { openCircuit } from './resilience.ts';

export interface OpenedReplica {
  readonly replica: Replica;
  readonly breaker: CircuitBreaker;
  readonly pool: pg.Pool;
}

/** The replica of READ_DATABASE_URL; null when none is set. It is not asked before `replica.start()`. */
export function openReplica(
  settings: Settings,
  session: SessionOptions,
  {
    primary,
    log,
    onReplicaRead = () => undefined,
  }: {
    readonly primary: pg.Pool;
    readonly log: Log;
    readonly onReplicaRead?: (outcome: ReplicaOutcome) => void;
  },
): OpenedReplica | null {
  const { readDatabaseUrl: url } = settings;
  if (url === null) return null;
  const pool = createPool({
    ...session,
    url,
    applicationName: settings.readDbApplicationName ?? `${settings.dbApplicationName}-read`,
    connectTimeoutMs: settings.readDbAcquireTimeoutMs,
    statementTimeoutMs: settings.readDbStatementTimeoutMs,
    connectionsMax: settings.readMaxDbConnections ?? settings.maxDbConnections,
    connectionsMin: settings.readMinDbConnections,
    acquireTimeoutMs: settings.readDbAcquireTimeoutMs,
    idleTimeoutMs: (settings.readDbIdleTimeoutSecs ?? settings.dbIdleTimeoutSecs) * 1_000,
    lifetimeMaxMs: (settings.readDbMaxLifetimeSecs ?? settings.dbMaxLifetimeSecs) * 1_000,
    log,
  });
  const breaker = openCircuit('replica', circuitLimits, log);
  const replica = new Replica({ pool, primary, breaker, clock: systemClock, onRead: onReplicaRead, log });
  return { replica, breaker, pool };
}
