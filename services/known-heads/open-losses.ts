import type { Clock } from '../../domain/clock.ts';
import type { LostHeads } from '../../storage/lost-heads.ts';

const pollMs = 5_000;

/** Counts, again and again, the stores that are closed since the log lacks acknowledged events. */
export class OpenLosses {
  private readonly lostHeads: Pick<LostHeads, 'openStores'>;
  private readonly clock: Pick<Clock, 'after'>;
  private count: number | null = null;

  constructor(lostHeads: Pick<LostHeads, 'openStores'>, clock: Pick<Clock, 'after'>) {
    this.lostHeads = lostHeads;
    this.clock = clock;
  }

  /** As of the last look that was answered; null before the first. */
  get stores(): number | null {
    return this.count;
  }

  startPolling(): { stop(): void } {
    let isStopped = false;
    let timer: { cancel(): void } | null = null;
    const look = async (): Promise<void> => {
      // While the database does not answer, what was there last is still the best that is known.
      this.count = await this.lostHeads.openStores().catch(() => this.count);
      if (!isStopped) timer = this.clock.after(pollMs, () => void look());
    };
    void look();
    return {
      stop: () => {
        isStopped = true;
        timer?.cancel();
      },
    };
  }
}
