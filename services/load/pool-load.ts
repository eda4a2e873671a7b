import type { Clock } from '../../domain/clock.ts';

/** A pool at one moment. */
export interface PoolMoment {
  readonly active: number;
  readonly max: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  /** Connections handed out since the start. */
  readonly acquired: number;
}

export interface PoolLoadOptions {
  readonly pool: () => PoolMoment;
  readonly clock: Pick<Clock, 'after'>;
  readonly onChange: (isCritical: boolean) => void;
}

export const sampleEveryMs = 500;
/** In a row, before anyone is turned away. */
const criticalSamples = 3;
const busyFrom = 0.95;
/** Someone who asks for a connection now would wait so long. */
const criticalWaitMs = 1_000;

/**
 * Whether a pool has so much to do that more would only make everyone wait longer.
 *
 * A pool of ten that ten quick reads use is busy and well, so being busy is not enough: it is critical when, in a few samples
 * in a row, at least 95 % are in use and whoever comes now would wait a second, which is what waits divided by what was
 * handed out meanwhile (Little's law). It is well again with the first sample that is not so; since nobody is let in until
 * then, that comes by itself as soon as those inside are done.
 */
export class PoolLoad {
  private readonly options: PoolLoadOptions;
  private next: { cancel(): void } | null = null;
  private acquiredBefore = 0;
  private busySamples = 0;

  constructor(options: PoolLoadOptions) {
    this.options = options;
  }

  get isCritical(): boolean {
    return this.busySamples >= criticalSamples;
  }

  start(): this {
    this.next = this.options.clock.after(sampleEveryMs, () => this.sample());
    return this;
  }

  stop(): void {
    this.next?.cancel();
  }

  private sample(): void {
    const wasCritical = this.isCritical;
    const { active, max, waiting, acquired } = this.options.pool();
    const handedOut = acquired - this.acquiredBefore;
    this.acquiredBefore = acquired;
    const waitMs = waiting === 0 ? 0 : (waiting / Math.max(handedOut, 1)) * sampleEveryMs;
    const isStuck = handedOut === 0 && waiting > 0;
    const isBusy = active >= max * busyFrom && (waitMs >= criticalWaitMs || isStuck);
    // While nobody is let in nobody waits either: what counts then is that a connection comes free.
    const staysBusy = wasCritical && active >= max * busyFrom && handedOut === 0;
    this.busySamples = isBusy || staysBusy ? this.busySamples + 1 : 0;
    if (this.isCritical !== wasCritical) this.options.onChange(this.isCritical);
    this.start();
  }
}
