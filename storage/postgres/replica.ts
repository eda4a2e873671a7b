import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import type { CircuitBreaker } from '../../domain/resilience/circuit-breaker.ts';
import type { Log } from '../../telemetry/log.ts';
import { judgeDatabase } from './circuit-pool.ts';
import { serverFacts, type ServerFacts } from './queries/server-facts.query.ts';
import { type Query, send } from './query.ts';
import { ReplicaLag } from './replica-lag.ts';

/** How a replica is, as of the last look. */
export interface ReplicaFigures {
  /** Reads go there. */
  readonly isFit: boolean;
  /** For how long it has lacked something that the primary has; null while it is not fit. */
  readonly lagSecs: number | null;
}

/** What became of a read that was offered to the replica; all but the first went on to the primary. */
export type ReplicaOutcome = 'answered' | 'behind' | 'failed' | 'unfit';

export interface ReplicaOptions {
  /** Of the replica. */
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly primary: Pick<pg.Pool, 'query'>;
  readonly breaker: CircuitBreaker;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly onRead: (outcome: ReplicaOutcome) => void;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** A promotion is noticed within this time. */
const lookEveryMs = 1_000;

/**
 * Reads from a replica whatever it can answer as the primary would. Whoever reads says how to tell that: an answer that lacks
 * something is thrown away, and so is an error, and the primary is asked instead.
 *
 * Modes: `fit` while READ_DATABASE_URL leads to a standby of our primary, or to the primary itself; else, as before the first
 * look and after a promotion, `unfit`: nothing is read there, since it may have gone a way of its own.
 */
export class Replica {
  private readonly options: ReplicaOptions;
  /** Null before the first look. */
  private isFit: boolean | null = null;
  private readonly lag = new ReplicaLag();
  private lagSecs: number | null = null;
  private isClosed = false;
  private look: { cancel(): void } | null = null;

  constructor(options: ReplicaOptions) {
    this.options = options;
  }

  get figures(): ReplicaFigures {
    return { isFit: this.isFit === true, lagSecs: this.lagSecs };
  }

  /** Resolves after the first look, whatever that found. */
  start(): Promise<void> {
    return this.lookAtIt();
  }

  close(): void {
    this.isClosed = true;
    this.look?.cancel();
  }

  /** The rows, or null when the primary must be asked. */
  async read<Parameters, Row>(
    query: Query<Parameters, Row>,
    parameters: Parameters,
    isWhole: (rows: readonly Row[]) => boolean,
  ): Promise<Row[] | null> {
    const { pool, breaker, onRead } = this.options;
    if (this.isFit !== true) {
      onRead('unfit');
      return null;
    }
    try {
      const rows = await breaker.run(() => send(pool, query, parameters), judgeDatabase);
      const whole = isWhole(rows);
      onRead(whole ? 'answered' : 'behind');
      return whole ? rows : null;
    } catch {
      // Whatever it is, the primary gives the answer or the error. The breaker has counted it.
      onRead('failed');
      return null;
    }
  }

  private async lookAtIt(): Promise<void> {
    const { pool, primary, breaker, clock, log } = this.options;
    const wasFit = this.isFit;
    try {
      const [replica] = await breaker.run(() => send(pool, serverFacts, null), judgeDatabase);
      const [known] = await send(primary, serverFacts, null);
      this.isFit = isCopy(replica!, known!);
      if (this.isFit) {
        const [primaryAt, replicaAt] = [known!.walPosition, replica!.walPosition];
        this.lagSecs = this.lag.look({ primary: primaryAt, replica: replicaAt, atMs: clock.monotonicMs() });
      }
      if (!this.isFit && wasFit !== false) {
        log.warn('READ_DATABASE_URL leads to no standby of this database: reads go to the primary');
      }
    } catch (error) {
      if (wasFit !== false) log.warn({ err: error }, 'the replica does not answer: reads go to the primary');
      this.isFit = false;
    }
    if (!this.isFit) {
      this.lag.forget();
      this.lagSecs = null;
    }
    if (this.isFit && wasFit !== true) log.info('reads go to the replica');
    if (!this.isClosed) this.look = clock.after(lookEveryMs, () => void this.lookAtIt());
  }
}

function isCopy(replica: ServerFacts, primary: ServerFacts): boolean {
  return (
    replica.systemId === primary.systemId && (replica.isStandby || replica.startedAt === primary.startedAt)
  );
}
