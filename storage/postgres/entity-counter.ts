import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import type { Heads } from '../../domain/types.ts';
import type { Log } from '../../telemetry/log.ts';
import { countEntities, startWatermark } from './queries/count-entities.query.ts';
import { send } from './query.ts';

export interface EntityCounterOptions {
  readonly pool: pg.Pool;
  /** After this many events of a store its entities are due to be counted, in steps of this size. */
  readonly countEveryEvents: number;
  /** After this many they are counted at once. */
  readonly countAtOnceEvents: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly log: Pick<Log, 'warn'>;
}

/** How long nothing may have been appended for the moment to be a quiet one. */
const quietMs = 1_000;

/**
 * Keeps `entity_counts` behind the heads, so that a version is never counted over a long history. Counting an event costs Postgres
 * half of what storing it does, so it waits for a quiet moment and stops when that is over, unless a store has come so far
 * that looking up a version would show it. Only a matter of speed: a count that fails or is lost is made up for by the next
 * one, and any node may count any store.
 */
export class EntityCounter {
  private readonly options: EntityCounterOptions;
  private readonly due = new Set<number>();
  /** Of those due, the ones that can't wait. */
  private readonly urgent = new Set<number>();
  private lastAppendMs = -Infinity;
  private timer: { cancel(): void } | null = null;
  private running: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: EntityCounterOptions) {
    this.options = options;
  }

  /** To be told of every append. */
  appended(storeNumber: number, before: Heads, after: Heads): void {
    const { countEveryEvents, countAtOnceEvents, clock } = this.options;
    this.lastAppendMs = clock.monotonicMs();
    const passes = (step: number): boolean => stepsAt(before, step) !== stepsAt(after, step);
    if (this.isClosed || !passes(countEveryEvents)) return;
    this.due.add(storeNumber);
    if (passes(countAtOnceEvents)) {
      this.urgent.add(storeNumber);
      this.start();
    } else {
      this.awaitQuiet();
    }
  }

  /** Counts what is due, however busy the moment is. */
  async settled(): Promise<void> {
    for (const storeNumber of this.due) this.urgent.add(storeNumber);
    this.start();
    await this.running;
  }

  /** Finishes the step under way and takes up no other. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    await this.running;
  }

  private start(): void {
    this.running ??= this.run();
  }

  private awaitQuiet(): void {
    this.timer ??= this.options.clock.after(quietMs, () => {
      this.timer = null;
      if (this.isQuiet()) this.start();
      else this.awaitQuiet();
    });
  }

  private isQuiet(): boolean {
    return this.options.clock.monotonicMs() - this.lastAppendMs >= quietMs;
  }

  private mayCount(storeNumber: number): boolean {
    return !this.isClosed && (this.urgent.has(storeNumber) || this.isQuiet());
  }

  private async run(): Promise<void> {
    // One store at a time: counting is never urgent enough to take more than one connection from others.
    for (const storeNumber of this.due) {
      if (!this.mayCount(storeNumber)) continue;
      this.due.delete(storeNumber);
      try {
        const isDone = await this.count(storeNumber);
        if (isDone) this.urgent.delete(storeNumber);
        else this.due.add(storeNumber);
      } catch (error) {
        this.urgent.delete(storeNumber);
        this.options.log.warn({ err: error, storeNumber }, 'the entities of a store were not counted');
      }
    }
    this.running = null;
    if (this.due.size > 0 && !this.isClosed) this.awaitQuiet();
  }

  /** @returns whether it came to the store's head, as far as that was when the last step began */
  private async count(storeNumber: number): Promise<boolean> {
    const { pool, countEveryEvents: eventsMax } = this.options;
    await send(pool, startWatermark, { storeNumber });
    while (this.mayCount(storeNumber)) {
      const [row] = await send(pool, countEntities, { storeNumber, eventsMax });
      if ((row?.counted ?? 0) < eventsMax) return true;
    }
    return false;
  }
}

function stepsAt({ legacy, ves }: Heads, step: number): number {
  return Math.floor((legacy + ves) / step);
}
