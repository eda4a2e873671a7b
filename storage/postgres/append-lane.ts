import type { Clock } from '../../domain/clock.ts';
import { LogUnavailable, SequencerError, ShuttingDown } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { batchBytes, eventCountOf, headsAfter } from '../append-batch.ts';
import type { AppendOutcome } from '../event-log.ts';
import { AppendConnection, type AppendConnectionOptions } from './append-connection.ts';
import { flush, type FlushResult, type SettledBatch } from './append-flush.ts';
import { toReadError } from './database-errors.ts';
import type { DatabaseObserver } from './database-observer.ts';
import type { SealedBatch } from '../payloads/payload-vault.ts';
import type { SessionOptions } from './session.ts';
import { inTenantTurns } from './tenant-turns.ts';

export interface AppendLaneOptions {
  readonly session: SessionOptions;
  /** A third of it may pass before a batch is sent, a third behind the statement before, and a third until the answer. */
  readonly appendTimeoutMs: number;
  /** Bounds of one statement; a single larger batch still goes through, alone. */
  readonly flushBytesMax: number;
  readonly flushEventsMax: number;
  readonly clock: Clock;
  /** Uniform in [0, 1), for the jitter of reconnects. */
  readonly random: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly observer?: Pick<DatabaseObserver, 'appended'>;
}

interface WaitingBatch extends SettledBatch {
  readonly byteCount: number;
  /** Set when its time to be sent is up; what is in flight then is left to finish. */
  isOverdue: boolean;
}

const reconnectDelayMinMs = 50;
const reconnectDelayMaxMs = 1_000;
/** How soon a batch is tried again whose fence row another session holds. */
const lockedRetryMs = 20;
/** So much that an append costs more by its events than by itself. */
export const aheadBytesMin = 131_072;

/**
 * One connection that only appends, statement by statement in the order in which they are sent, so that the appends of a
 * store can't pass each other. Everything that waits when a statement is answered goes into the next one, one batch of
 * each tenant in turn; a store has one batch in a statement at most, so a busy one can't crowd out the others. When much
 * waits, the next statement is sent before the answer of the first is there, so that Postgres goes on without a pause.
 *
 * Modes and the moves between them:
 * - `serving`: connected; flushes whatever waits. A lost connection, or an answer that takes too long, moves it to
 * - `connecting`: tries again with growing pauses, then serves. What waits meanwhile is kept until its time is up.
 * - `closed`: by `close()`, once the statement in flight is answered. What was not sent is refused.
 */
export class AppendLane {
  private readonly options: AppendLaneOptions;
  private readonly running: Promise<void>;
  private mode: 'serving' | 'connecting' | 'closed' = 'serving';
  private waiting: WaitingBatch[] = [];
  private wake: () => void = () => undefined;

  /** @throws LogUnavailable when the first connection fails; later ones are tried again until they succeed */
  static async open(options: AppendLaneOptions): Promise<AppendLane> {
    try {
      return new AppendLane(options, await AppendConnection.open(connectionOptions(options)));
    } catch (error) {
      throw toReadError(error, 'open an append connection');
    }
  }

  private constructor(options: AppendLaneOptions, connection: AppendConnection) {
    this.options = options;
    this.running = this.run(connection);
  }

  /** As `EventLog.append`, for a batch with events. */
  append({ batch, payloadKeyNumber }: SealedBatch): Promise<AppendOutcome> {
    if (this.mode === 'closed') return Promise.reject(new ShuttingDown('the log is closing'));
    return new Promise((resolve, reject) => {
      const newHeads = headsAfter(batch); // What it throws rejects the promise.
      const timer = this.options.clock.after(this.options.appendTimeoutMs / 3, () => this.expire(entry));
      const entry: WaitingBatch = {
        batch,
        payloadKeyNumber,
        newHeads,
        byteCount: batchBytes(batch),
        isOverdue: false,
        settle: (outcome) => {
          timer.cancel();
          if (outcome instanceof SequencerError) reject(outcome);
          else resolve(outcome);
        },
      };
      this.waiting.push(entry);
      if (this.mode === 'serving') this.wake();
    });
  }

  /** Answers the statement in flight, refuses what was not sent, and ends the connection. */
  async close(): Promise<void> {
    this.mode = 'closed';
    this.wake();
    await this.running;
  }

  private async run(first: AppendConnection): Promise<void> {
    let connection: AppendConnection | null = first;
    while (connection !== null) {
      await this.serve(connection);
      connection.end();
      connection = await this.reconnect();
    }
    this.refuseAll();
  }

  /** Flushes what waits until the connection is lost or the lane closes, and what is on its way then is settled. */
  private async serve(connection: AppendConnection): Promise<void> {
    let isConnected = true;
    connection.onEnd(() => {
      isConnected = false;
      this.wake();
    });
    let statements = 0;
    let last: Promise<void> = Promise.resolve();
    const flush = async (batches: readonly WaitingBatch[], before: Promise<void>): Promise<void> => {
      statements += 1;
      const { locked, unsent, isConnected: isStill } = await this.flush(connection, batches, before);
      await before;
      statements -= 1;
      isConnected &&= isStill;
      this.waiting.unshift(...unsent);
      this.refuseOverdue();
      if (locked.length > 0) this.options.clock.after(lockedRetryMs, () => this.putBack(locked));
      this.wake();
    };
    while (isConnected && this.mode === 'serving') {
      const batches = this.maySend(statements, connection) ? this.take() : [];
      if (batches.length > 0) {
        last = flush(batches, last);
        continue;
      }
      await this.sleepUntilWoken();
      // Batches that are decided in the same turn of the event loop share the statement.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await last;
    if (this.mode === 'serving') this.mode = 'connecting';
  }

  /** A statement goes behind another only when gathering more for it would gain little. */
  private maySend(statements: number, { statementsMax }: AppendConnection): boolean {
    if (statements === 0) return true;
    const bytes = this.waiting.reduce((sum, { byteCount }) => sum + byteCount, 0);
    return statements < statementsMax && bytes >= aheadBytesMin;
  }

  private async flush(
    connection: AppendConnection,
    batches: readonly WaitingBatch[],
    before: Promise<void>,
  ): Promise<FlushResult<WaitingBatch>> {
    const { clock, observer } = this.options;
    const startedMs = clock.monotonicMs();
    const result = await flush(connection, batches, before);
    observer?.appended({
      events: batches.reduce((events, { batch }) => events + eventCountOf(batch), 0),
      stores: batches.length,
      durationMs: clock.monotonicMs() - startedMs,
    });
    return result;
  }

  /** What the next statement appends: one batch of each tenant in turn, each store once, within the bounds. */
  private take(): WaitingBatch[] {
    const { flushBytesMax, flushEventsMax } = this.options;
    const taken = new Map<number, WaitingBatch>();
    const left: WaitingBatch[] = [];
    let bytes = 0;
    let events = 0;
    let isFull = false;
    for (const entry of inTenantTurns(this.waiting)) {
      const { claim } = entry.batch;
      bytes += entry.byteCount;
      events += eventCountOf(entry.batch);
      isFull ||= taken.size > 0 && (bytes > flushBytesMax || events > flushEventsMax);
      if (isFull || taken.has(claim.storeNumber)) left.push(entry);
      else taken.set(claim.storeNumber, entry);
    }
    this.waiting = left;
    return [...taken.values()];
  }

  private putBack(entries: readonly WaitingBatch[]): void {
    // In front: a later batch of the same store must not pass them.
    this.waiting.unshift(...entries);
    this.refuseOverdue();
    if (this.mode === 'closed') this.refuseAll();
    if (this.mode === 'serving') this.wake();
  }

  private expire(entry: WaitingBatch): void {
    entry.isOverdue = true;
    this.refuseOverdue();
  }

  private refuseOverdue(): void {
    const overdue = this.waiting.filter((entry) => entry.isOverdue);
    if (overdue.length === 0) return;
    this.waiting = this.waiting.filter((entry) => !entry.isOverdue);
    const isOutOfReach = this.mode === 'connecting';
    const reason = isOutOfReach ? 'Postgres is out of reach' : 'the append was not sent in time';
    for (const entry of overdue) entry.settle(new LogUnavailable(`append: ${reason}`, { isOutOfReach }));
  }

  private refuseAll(): void {
    for (const entry of this.waiting.splice(0)) entry.settle(new ShuttingDown('the log is closing'));
  }

  /** A new connection, after as many tries as it takes; null once the lane is closed. */
  private async reconnect(): Promise<AppendConnection | null> {
    const { log, clock, random } = this.options;
    for (let tries = 0; this.mode !== 'closed'; tries += 1) {
      try {
        const connection = await AppendConnection.open(connectionOptions(this.options));
        if (this.mode === 'connecting') this.mode = 'serving';
        log.info({ tries }, 'an append connection to Postgres is back');
        return connection;
      } catch (error) {
        if (tries === 0) log.warn({ err: error }, 'an append connection to Postgres was lost');
        const delayMs = Math.min(reconnectDelayMaxMs, reconnectDelayMinMs * 2 ** tries);
        const timer = clock.after(delayMs * (0.5 + random() / 2), () => this.wake());
        await this.sleepUntilWoken();
        timer.cancel();
      }
    }
    return null;
  }

  private sleepUntilWoken(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }
}

function connectionOptions({ session, appendTimeoutMs, clock }: AppendLaneOptions): AppendConnectionOptions {
  return { session, answerTimeoutMs: appendTimeoutMs / 3, clock };
}
