import type { CommitmentLag } from './commitment-log.ts';

/**
 * How a database is, for those who look after it. Reads catalogues, statistics and one row of each store, never events but
 * for the oldest that waits for a commitment, and may run beside nodes. All methods throw `LogUnavailable` when the database
 * can't be reached or does not answer in time, and `InvariantBroken` when it refuses to tell.
 */
export interface Diagnosis {
  /** As `pg_settings` has them, numbers in the unit that the name says. */
  server(): Promise<ServerState>;
  /** Every index of the schema in use. */
  indexes(): Promise<IndexState[]>;
  /** Every table of the schema in use. */
  tables(): Promise<TableState[]>;
  /** The standbys that are connected, with what they have not replayed. */
  replicas(): Promise<ReplicaState[]>;
  /** What is done behind appends and not done yet. */
  backlog(): Promise<Backlog>;
}

export interface ServerState {
  /** As `150004`. */
  readonly versionNumber: number;
  readonly version: string;
  readonly isStandby: boolean;
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  readonly synchronousCommit: string;
  readonly sharedBuffersBytes: number;
  readonly maxWalSizeBytes: number;
  /** `off`, `pglz` (which Postgres also calls `on`), `lz4` or `zstd`. */
  readonly walCompression: string;
  readonly checkpointTimeoutSecs: number;
  readonly autovacuum: boolean;
  readonly trackCounts: boolean;
  readonly maxConnections: number;
  /** Of everyone, this one too. */
  readonly connections: number;
  readonly walLevel: string;
  readonly archiveMode: string;
  /** The last attempt to archive a segment failed. */
  readonly archiveIsFailing: boolean;
  /** Checkpoints since the statistics began that came because the WAL was full, and all. */
  readonly checkpointsRequested: number;
  readonly checkpoints: number;
  /** The oldest transaction that is open, of any session but this one; 0 when there is none. */
  readonly longestTransactionSecs: number;
  /** What that session says it is; empty when there is none. */
  readonly longestTransactionOf: string;
  /** In milliseconds since 1970, when the server answered. */
  readonly clockMs: number;
}

export interface IndexState {
  readonly name: string;
  readonly table: string;
  readonly isValid: boolean;
  /** It upholds a constraint, so it is needed even where nothing reads it. */
  readonly isUnique: boolean;
  readonly scans: number;
  readonly bytes: number;
}

export interface TableState {
  readonly name: string;
  readonly liveRows: number;
  readonly deadRows: number;
  /** Seconds since the last vacuum, by whomever; null when there was none. */
  readonly vacuumedSecsAgo: number | null;
}

export interface ReplicaState {
  readonly name: string;
  readonly state: string;
  readonly lagBytes: number;
  readonly lagSecs: number;
}

export interface Backlog {
  /** Events whose entities are not counted yet, of the store that is furthest behind. */
  readonly uncountedEventsMax: number;
  readonly commitments: CommitmentLag;
}
