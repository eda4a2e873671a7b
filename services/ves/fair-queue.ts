import type { Clock } from '../../domain/clock.ts';
import { DeadlineExceeded, SignatureChecksFull } from '../../domain/errors.ts';

export interface FairQueueLimits {
  /** Items under way at once. */
  readonly runningMax: number;
  /** Items that may wait; a job that comes when there are as many is refused, whatever its size. */
  readonly waitingMax: number;
}

/** Among so many of the oldest jobs the one with the least left is looked for. */
const lookedAtMax = 64;

/**
 * Works through the items of many jobs, a bounded number at once: one of the oldest job and one of that with the least left,
 * in turns. So a job of one item waits for at most one of another, however large that is, and nobody waits for ever; and
 * jobs that are equally large are done one after the other, not all at the end, so that what comes after them never has
 * nothing to do.
 */
export class FairQueue {
  private readonly limits: FairQueueLimits;
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Jobs with items that have not begun, in the order in which they came. */
  private readonly jobs: Job[] = [];
  private isTurnOfOldest = true;
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
      const job = this.take();
      if (job === undefined) return;
      if (job.left() === 0) continue; // It has failed.
      if (this.clock.monotonicMs() >= job.deadlineMs) {
        job.fail(new DeadlineExceeded('the request ran out of time before its signatures were checked'));
        continue;
      }
      this.running += 1;
      this.waiting -= 1;
      void this.runOne(job);
    }
  }

  /** The job whose turn it is; after its last item it is forgotten. */
  private take(): Job | undefined {
    const index = this.isTurnOfOldest ? 0 : this.indexOfLeast();
    this.isTurnOfOldest = !this.isTurnOfOldest;
    const job = this.jobs[index];
    if (job !== undefined && job.left() <= 1) this.jobs.splice(index, 1);
    return job;
  }

  private indexOfLeast(): number {
    let least = 0;
    for (let index = 1; index < Math.min(this.jobs.length, lookedAtMax); index += 1) {
      if (this.jobs[index]!.left() < this.jobs[least]!.left()) least = index;
    }
    return least;
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
