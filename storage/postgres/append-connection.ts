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
  /** An answer that takes longer, from that of the statement before it on, counts as lost, and the connection with it. */
  readonly answerTimeoutMs: number;
  readonly clock: Clock;
}

/** A plan is made once, perhaps while the tables are empty: it must be the one for full tables. */
const planning = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', enable_mergejoin: 'off' };

/** One connection that runs appends, in the order of the calls. */
export class AppendConnection {
  /** How many statements may be on their way at once; a pooler waits for the answer of each. */
  readonly statementsMax: number;
  private readonly client: pg.Client;
  private readonly options: AppendConnectionOptions;
  /** One for each statement on its way, since what it encoded is overwritten by the next. */
  private readonly encoders: AppendEncoder[];
  private statements = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** Throws what `pg` throws. */
  static async open(options: AppendConnectionOptions): Promise<AppendConnection> {
    // Postgres gives up before we do, since its answer is certain and our silence is not.
    const statementTimeoutMs = Math.min(
      options.session.statementTimeoutMs || Infinity,
      Math.ceil(options.answerTimeoutMs * 0.8),
    );
    const client = await openSession({
      ...options.session,
      statementTimeoutMs,
      settings: planning,
      pipeline: true,
    });
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
    this.statementsMax = options.session.pooler === 'transaction' ? 1 : 2;
    this.encoders = Array.from({ length: this.statementsMax }, () => new AppendEncoder());
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
    const config = { ...this.encode(batches), types: rowTypes };
    const { last } = this;
    const answered = this.client.query<{ store_number: number }>(config);
    this.last = answered.catch(() => undefined);
    // Its time begins when Postgres begins with it.
    await last;
    const timer = this.options.clock.after(this.options.answerTimeoutMs, () => destroySession(this.client));
    try {
      const { rows } = await answered;
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
    const encoder = this.encoders[this.statements++ % this.encoders.length]!;
    try {
      return encoder.encode(batches);
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
