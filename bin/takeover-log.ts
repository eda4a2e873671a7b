import type { Takeover } from '../actors/takeovers.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../telemetry/log.ts';

const gatherMs = 5_000;

/** Who else had a store, and how many of them are named: their number says the rest. */
const formerOwnersMax = 10;

/**
 * Logs takeovers: each one at debug, and all of some seconds in one line at info, since a node that comes or goes moves
 * thousands of stores.
 */
export class TakeoverLog {
  private readonly log: Pick<Log, 'info' | 'debug'>;
  private readonly clock: Pick<Clock, 'after'>;
  private stores = 0;
  private longestMs = 0;
  private readonly from = new Map<string, number>();

  constructor(log: Pick<Log, 'info' | 'debug'>, clock: Pick<Clock, 'after'>) {
    this.log = log;
    this.clock = clock;
  }

  note(takeover: Takeover): void {
    this.log.debug({ ...takeover }, 'took a store over');
    if (this.stores === 0) this.clock.after(gatherMs, () => this.summarise());
    this.stores += 1;
    this.longestMs = Math.max(this.longestMs, Math.round(takeover.durationMs));
    const count = this.from.get(takeover.from);
    if (count !== undefined || this.from.size < formerOwnersMax) {
      this.from.set(takeover.from, (count ?? 0) + 1);
    }
  }

  private summarise(): void {
    const { stores, longestMs } = this;
    this.log.info({ stores, longestMs, from: Object.fromEntries(this.from) }, 'took stores over');
    this.stores = 0;
    this.longestMs = 0;
    this.from.clear();
  }
}
