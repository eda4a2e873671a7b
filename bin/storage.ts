import type { Settings } from '../config/read-settings.ts';
import { systemClock } from '../services/system-clock.ts';
import type { AdminView } from '../storage/admin-view.ts';
import type { AgentKeys } from '../storage/agent-keys.ts';
import type { ApiKeys } from '../storage/api-keys.ts';
import type { AuditEntries } from '../storage/audit-log.ts';
import { postgresAdminView } from '../storage/postgres/admin-view.ts';
import { postgresAgentKeys } from '../storage/postgres/agent-keys.ts';
import { postgresApiKeys } from '../storage/postgres/api-keys.ts';
import { postgresAuditEntries } from '../storage/postgres/audit-log.ts';
import { awaitServer } from '../storage/postgres/await-server.ts';
import type { DatabaseObserver } from '../storage/postgres/database-observer.ts';
import { checkSchema, migrate } from '../storage/postgres/migrate.ts';
import { guardPool } from '../storage/postgres/circuit-pool.ts';
import { createPool } from '../storage/postgres/pool.ts';
import { openPostgresEventLog } from '../storage/postgres/postgres-event-log.ts';
import type { PointSource } from '../storage/point-source.ts';
import type { CommitmentLog } from '../storage/commitment-log.ts';
import { postgresProjections } from '../storage/postgres/postgres-projections.ts';
import { PostgresCommitmentLog } from '../storage/postgres/postgres-commitment-log.ts';
import type { PostgresEventLog } from '../storage/postgres/postgres-event-log.ts';
import { postgresSchemas } from '../storage/postgres/schemas.ts';
import { postgresSequencerKeys } from '../storage/postgres/sequencer-keys.ts';
import { postgresLostHeads } from '../storage/postgres/lost-heads.ts';
import { deleteExpiredRequests } from '../storage/postgres/tenant-erasure.ts';
import { postgresPoints } from '../storage/postgres/shared-points.ts';
import type { SessionOptions } from '../storage/postgres/session.ts';
import { postgresLeases } from '../storage/postgres/leases.ts';
import type { Leases } from '../storage/leases.ts';
import type { LostHeads } from '../storage/lost-heads.ts';
import type { Projections } from '../storage/projections.ts';
import type { Schemas } from '../storage/schemas.ts';
import type { SequencerKeys } from '../storage/sequencer-keys.ts';
import type { Log } from '../telemetry/log.ts';
import { LogUnavailable } from '../domain/errors.ts';
import type { CircuitBreaker } from '../domain/resilience/circuit-breaker.ts';
import type { RetryObserver } from '../domain/resilience/retries.ts';
import type { ReplicaFigures, ReplicaOutcome } from '../storage/postgres/replica.ts';
import { openVault } from './payload-encryption.ts';
import { openCircuit, openRetryBudget, strictCircuitLimits } from './resilience.ts';
import { openReplica } from './replica.ts';
import { projectionClaimSecs } from './open-projections.ts';

/** Everything durable that a node works on. */
export interface Storage {
  readonly log: PostgresEventLog;
  readonly commitments: CommitmentLog;
  readonly keys: ApiKeys;
  readonly agentKeys: AgentKeys;
  readonly schemas: Schemas;
  readonly sequencerKeys: SequencerKeys;
  /** Where all nodes count requests. */
  readonly points: PointSource;
  readonly auditEntries: AuditEntries;
  readonly adminView: AdminView;
  /** What is spared while it is broken. */
  readonly circuits: readonly CircuitBreaker[];
  readonly lostHeads: LostHeads;
  /** How the replica of READ_DATABASE_URL is; null where there is none. */
  readonly replicaFigures: () => ReplicaFigures | null;
  readonly leases: Leases;
  readonly projections: Projections;
  /** Deletes up to so many requests to erase a tenant that nobody confirmed in time; returns how many there were. */
  readonly deleteExpiredErasureRequests: (rowsMax: number) => Promise<number>;
  /** Ends every connection; what is in flight is answered first. */
  close(): Promise<void>;
}

export interface StorageOptions {
  readonly databaseUrl: string;
  readonly log: Log;
  /** Told what Postgres is asked; nobody is unless given. */
  readonly observer?: DatabaseObserver;
  /** Told of reads that are tried again. */
  readonly readRetries?: RetryObserver;
  /** Told of each read that was offered to the replica. */
  readonly onReplicaRead?: (outcome: ReplicaOutcome) => void;
  /** Told, for the person who waits, what takes its time. */
  readonly onProgress: (step: string) => void;
}

/** A session that was lost is found out at once and made anew at once; a server that starts takes longer than anyone should wait. */
const readRetryPolicy = { triesMax: 3, firstDelayMs: 50, delayMsMax: 500, withinMs: 1_000 };

/** Of each node: one that polls for revocations and renews leases, and one that looks API keys up. */
export const accessConnectionsMax = 2;

/**
 * Waits for Postgres, brings its schema to this version unless `DB_MIGRATE_ON_STARTUP` is off, and opens the log.
 * @throws LogUnavailable when Postgres does not answer in all the tries that the settings allow
 * @throws LogUnfit when it can't keep our promises, or its schema is not ours; the message says what to do
 */
export async function openStorage(settings: Settings, options: StorageOptions): Promise<Storage> {
  const { databaseUrl: url, log, observer, onProgress } = options;
  const applicationName = settings.dbApplicationName;
  const session: SessionOptions = {
    url,
    applicationName,
    connectTimeoutMs: settings.dbAcquireTimeoutMs,
    statementTimeoutMs: settings.dbStatementTimeoutMs,
    idleInTransactionTimeoutMs: settings.dbIdleInTxTimeoutMs,
    lockTimeoutMs: settings.dbLockTimeoutMs,
    pooler: settings.databasePooler,
  };
  await awaitServer({
    session,
    retriesMax: settings.dbStartupMaxRetries,
    retryDelayMs: settings.dbStartupRetryDelaySecs * 1_000,
    clock: systemClock,
    log,
  });
  const schema = { url: settings.directDatabaseUrl ?? url, applicationName };
  if (settings.dbMigrateOnStartup) {
    const applied = await migrate(schema);
    if (applied.length > 0) onProgress(`brought the schema up to date: ${applied.join(', ')}`);
  } else {
    await checkSchema(schema);
  }

  const poolOptions = {
    ...session,
    acquireTimeoutMs: settings.dbAcquireTimeoutMs,
    idleTimeoutMs: settings.dbIdleTimeoutSecs * 1_000,
    lifetimeMaxMs: settings.dbMaxLifetimeSecs * 1_000,
    log,
  };
  const pool = createPool({
    ...poolOptions,
    connectionsMax: settings.maxDbConnections,
    connectionsMin: settings.minDbConnections,
    ...(observer && { observer }),
  });
  const limits = strictCircuitLimits(settings);
  const circuits = {
    database: openCircuit('database', limits, log),
    append: openCircuit('append', limits, log),
  };
  guardPool(pool, circuits.database);
  // Who may do what is known, and revocations are heard of, however busy the pool is.
  const accessPool = createPool({
    ...poolOptions,
    connectionsMax: accessConnectionsMax,
    connectionsMin: 0,
  });
  const read = openReplica(settings, session, { primary: pool, ...options });
  await read?.replica.start();
  const opened = openVault(settings, { pool, log });
  const endPools = async (): Promise<void> => {
    read?.replica.close();
    await Promise.all([pool.end(), accessPool.end(), read?.pool.end()]);
  };
  try {
    const eventLog = await openPostgresEventLog({
      pool,
      replica: read?.replica ?? null,
      vault: opened.vault,
      session: { ...session, statementTimeoutMs: settings.appendStatementTimeoutMs },
      appendConnections: settings.appendConnections,
      appendTimeoutMs: settings.appendTimeoutMs,
      flushBytesMax: settings.flushBytesMax,
      flushEventsMax: settings.flushEventsMax,
      storesPerTenantMax: settings.maxStoresPerTenant,
      clock: systemClock,
      random: Math.random,
      log,
      appendCircuit: circuits.append,
      readRetries: {
        policy: readRetryPolicy,
        budget: openRetryBudget(settings),
        isRetryable: (error) => error instanceof LogUnavailable,
        clock: systemClock,
        random: Math.random,
        observer: options.readRetries ?? { retried: () => undefined, ended: () => undefined },
      },
      ...(observer && { observer }),
    });
    return {
      log: eventLog,
      commitments: new PostgresCommitmentLog(pool, read?.replica ?? null),
      keys: postgresApiKeys(accessPool),
      agentKeys: postgresAgentKeys(pool),
      schemas: postgresSchemas(pool),
      sequencerKeys: postgresSequencerKeys(pool),
      points: postgresPoints(pool),
      auditEntries: postgresAuditEntries(pool),
      adminView: postgresAdminView(pool),
      circuits: [...Object.values(circuits), ...(read === null ? [] : [read.breaker])],
      lostHeads: postgresLostHeads(pool),
      replicaFigures: () => read?.replica.figures ?? null,
      // Who leads goes on leading, however busy the pool is.
      leases: postgresLeases(accessPool),
      projections: postgresProjections({ pool, vault: opened.vault, claimSecs: projectionClaimSecs }),
      deleteExpiredErasureRequests: (rowsMax) => deleteExpiredRequests(pool, rowsMax),
      close: async () => {
        await eventLog.close();
        opened.close();
        await endPools();
      },
    };
  } catch (error) {
    opened.close();
    await endPools();
    throw error;
  }
}
