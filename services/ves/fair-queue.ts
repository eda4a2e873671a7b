import type { Clock } from '../../domain/clock.ts';
import { DeadlineExceeded, SignatureChecksFull } from '../../domain/errors.ts';

export interface FairQueueLimits {
  /** Items under way at once. */
  readonly runningMax: number;
  /** Items that may wait; a job that comes when there are as many is refused, whatever its size. */
  readonly waitingMax: number;
}

/**
 * Works through the items of many jobs, a bounded number at once and one of each job in turn: a job of one item waits for at
 * most one item of every other, however large those are.
 */
export class FairQueue {
  private readonly limits: FairQueueLimits;
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Jobs with items that have not begun, in the order of their turns. */
  private readonly jobs: Job[] = [];
  private running = 0;
  private waiting = 0;

  constructor(limits: FairQueueLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.limits = limits;
    this.clock = clock;
  }

  /**
   * Resolves when `work` is done with every item. When it fails with one, the rest of the job does not begin.
   * @param deadlineMs on the clock's monotonic scale: what has not begun by then is dropped
   * @throws SignatureChecksFull, DeadlineExceeded, and what `work` throws
   */
  run<Item>(items: readonly Item[], deadlineMs: number, work: (item: Item) => Promise<void>): Promise<void> {
    if (items.length === 0) return Promise.resolve();
    if (this.waiting >= this.limits.waitingMax) {
      const { waiting } = this;
      return Promise.reject(
        new SignatureChecksFull('too many signatures wait to be checked; nothing was stored', { waiting }),
      );
    }
    return new Promise((resolve, reject) => {
      let next = 0;
      let done = 0;
      this.jobs.push({
        deadlineMs,
        left: () => items.length - next,
        begin: async () => {
          await work(items[next++]!);
          if (++done === items.length) resolve();
        },
        fail: (error) => {
          this.waiting -= items.length - next;
          next = items.length;
          reject(error);
        },
      });
      this.waiting += items.length;
      this.fill();
    });
  }

  /** Begins items while there are any and there is room for them. */
  private fill(): void {
    while (this.running < this.limits.runningMax) {
      const job = this.jobs.shift();
      if (job === undefined) return;
      if (job.left() === 0) continue; // It has failed.
      if (this.clock.monotonicMs() >= job.deadlineMs) {
        job.fail(new DeadlineExceeded('the request ran out of time before its signatures were checked'));
        continue;
      }
      if (job.left() > 1) this.jobs.push(job);
      this.running += 1;
      this.waiting -= 1;
      void this.runOne(job);
    }
  }

  private async runOne(job: Job): Promise<void> {
    try {
      await job.begin();
    } catch (error) {
      job.fail(error as Error);
    }
    this.running -= 1;
    this.fill();
  }
}

interface Job {
  readonly deadlineMs: number;
  /** How many items have not begun. */
  left(): number;
  begin(): Promise<void>;
  /** Drops what has not begun. */
  fail(error: Error): void;
}
