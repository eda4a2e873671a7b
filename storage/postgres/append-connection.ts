import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { AppendRefused, LogUnavailable } from '../../domain/errors.ts';
import { AppendEncoder, type AppendStatement, type PlannedBatch } from './queries/append.query.ts';
import { fenceRows, type FenceRow } from './queries/fence-rows.query.ts';
import { read } from './query.ts';
import { rowTypes } from './row-types.ts';
import { destroySession, openSession, type SessionOptions } from './session.ts';

export interface AppendConnectionOptions {
  readonly session: SessionOptions;
  /** An answer that takes longer counts as lost, and the connection with it. */
  readonly answerTimeoutMs: number;
  readonly clock: Clock;
}

/** A plan is made once, perhaps while the tables are empty: it must be the one for full tables. */
const planning = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', enable_mergejoin: 'off' };

/** One connection that runs the append, one statement at a time. */
export class AppendConnection {
  private readonly client: pg.Client;
  private readonly options: AppendConnectionOptions;
  private readonly encoder = new AppendEncoder();

  /** Throws what `pg` throws. */
  static async open(options: AppendConnectionOptions): Promise<AppendConnection> {
    // Postgres gives up before we do, since its answer is certain and our silence is not.
    const statementTimeoutMs = Math.min(
      options.session.statementTimeoutMs || Infinity,
      Math.ceil(options.answerTimeoutMs * 0.8),
    );
    const client = await openSession({ ...options.session, statementTimeoutMs, settings: planning });
    try {
      await refuseReadOnly(client);
      return new AppendConnection(client, options);
    } catch (error) {
      destroySession(client);
      throw error;
    }
  }

  private constructor(client: pg.Client, options: AppendConnectionOptions) {
    this.client = client;
    this.options = options;
  }

  /** Calls back once when the connection is gone, for whatever reason. */
  onEnd(run: () => void): void {
    this.client.once('end', run);
  }

  /**
   * Appends the batches, of which each store has one, and returns the numbers of the stores whose fence let them pass.
   * Throws what `pg` throws, which leaves open what happened unless it is an answer of Postgres.
   * @throws AppendRefused when a value has no binary form; nothing was sent
   */
  async append(batches: readonly PlannedBatch[]): Promise<ReadonlySet<number>> {
    const statement = this.encode(batches);
    const timer = this.options.clock.after(this.options.answerTimeoutMs, () => destroySession(this.client));
    try {
      const config = { ...statement, types: rowTypes };
      const { rows } = await this.client.query<{ store_number: number }>(config);
      return new Set(rows.map((row) => row.store_number));
    } finally {
      timer.cancel();
    }
  }

  /** The fence rows of these stores. */
  fenceRows(storeNumbers: readonly number[]): Promise<FenceRow[]> {
    return read(this.client, fenceRows, storeNumbers);
  }

  end(): void {
    destroySession(this.client);
  }

  private encode(batches: readonly PlannedBatch[]): AppendStatement {
    try {
      return this.encoder.encode(batches);
    } catch (error) {
      throw new AppendRefused('a value of the batch has no binary form', {}, { cause: error });
    }
  }
}

/** A connection made during a fail-over may lead to a server that is no primary, or not yet. */
async function refuseReadOnly(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('show transaction_read_only');
  if (rows[0]?.transaction_read_only !== 'off') throw new LogUnavailable('Postgres is read-only');
}
