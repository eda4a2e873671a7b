import type { Clock } from '../clock.ts';
import { CircuitOpen } from '../errors.ts';

export type CircuitState = 'closed' | 'half_open' | 'open';

export interface CircuitLimits {
  /** Failures in a row that open the circuit; one older than `windowMs` does not count. */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** How long it stays open at first; doubled each time that the probes fail, and up to a tenth longer by chance. */
  readonly openMs: number;
  readonly openMsMax: number;
  /** Calls let through at once while it is half open. */
  readonly probesMax: number;
  /** Probes that must succeed to close it. */
  readonly successesMin: number;
}

/** Those of the reference. */
export const circuitLimits: CircuitLimits = {
  failuresMax: 5,
  windowMs: 60_000,
  openMs: 30_000,
  openMsMax: 300_000,
  probesMax: 3,
  successesMin: 3,
};

export interface CircuitFigures {
  readonly name: string;
  readonly state: CircuitState;
  readonly successes: number;
  readonly failures: number;
  /** Calls that were not made, since the circuit was open. */
  readonly rejected: number;
  readonly timesOpened: number;
}

export interface CircuitBreakerOptions {
  /** What is behind it; one of few, since it names a metric's series. */
  readonly name: string;
  readonly limits: CircuitLimits;
  /** Whether an error says that what is behind is broken, rather than that it did not like the call. */
  readonly isFailure: (error: unknown) => boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onChange?: (figures: CircuitFigures) => void;
}

/**
 * Spares what is broken, and those who would wait for it.
 *
 * Modes and the moves between them:
 * - `closed`: every call is made. Some failures in a row move it to
 * - `open`: no call is made, each fails at once. When its time is up, the next call moves it to
 * - `half_open`: a few calls at once are made as probes. Enough successes close it, one failure opens it for twice as long.
 */
export class CircuitBreaker {
  private readonly options: CircuitBreakerOptions;
  private state: CircuitState = 'closed';
  /** When the failures of the row happened. */
  private failedAtMs: number[] = [];
  private opensInARow = 0;
  private opensUntilMs = 0;
  private probes = 0;
  private probesSucceeded = 0;
  private readonly counts = { successes: 0, failures: 0, rejected: 0, timesOpened: 0 };

  constructor(options: CircuitBreakerOptions) {
    this.options = options;
  }

  get figures(): CircuitFigures {
    return { name: this.options.name, state: this.state, ...this.counts };
  }

  /**
   * Makes the call, or not.
   * @throws CircuitOpen when it was not made; else what the call throws
   */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    const probeOf = this.admit();
    try {
      const result = await call();
      this.succeeded(probeOf);
      return result;
    } catch (error) {
      if (this.options.isFailure(error)) this.failed(probeOf);
      else this.succeeded(probeOf);
      throw error;
    }
  }

  /** The period for which the call is a probe, null for a usual call. @throws CircuitOpen */
  private admit(): number | null {
    const nowMs = this.options.clock.monotonicMs();
    if (this.state === 'open' && nowMs >= this.opensUntilMs) {
      this.probes = 0;
      this.probesSucceeded = 0;
      this.moveTo('half_open');
    }
    if (this.state === 'closed') return null;
    if (this.state === 'half_open' && this.probes < this.options.limits.probesMax) {
      this.probes += 1;
      return this.counts.timesOpened;
    }
    this.counts.rejected += 1;
    throw new CircuitOpen(`${this.options.name}: not asked, since it failed again and again`, {
      circuit: this.options.name,
      retryAfterMs: Math.max(0, this.opensUntilMs - nowMs),
    });
  }

  private succeeded(probeOf: number | null): void {
    this.counts.successes += 1;
    if (this.state === 'closed') this.failedAtMs = [];
    if (!this.probesNow(probeOf)) return;
    this.probes -= 1;
    this.probesSucceeded += 1;
    if (this.probesSucceeded < this.options.limits.successesMin) return;
    this.failedAtMs = [];
    this.opensInARow = 0;
    this.moveTo('closed');
  }

  private failed(probeOf: number | null): void {
    this.counts.failures += 1;
    if (this.probesNow(probeOf)) return this.open();
    if (this.state !== 'closed') return;
    const { limits, clock } = this.options;
    const nowMs = clock.monotonicMs();
    this.failedAtMs = [...this.failedAtMs.filter((atMs) => atMs > nowMs - limits.windowMs), nowMs];
    if (this.failedAtMs.length >= limits.failuresMax) this.open();
  }

  /** A call that began before the circuit opened last proves nothing about now. */
  private probesNow(probeOf: number | null): boolean {
    return this.state === 'half_open' && probeOf === this.counts.timesOpened;
  }

  private open(): void {
    const { limits, clock, random } = this.options;
    const openMs = Math.min(limits.openMsMax, limits.openMs * 2 ** this.opensInARow);
    this.opensUntilMs = clock.monotonicMs() + openMs * (1 + random() / 10);
    this.opensInARow += 1;
    this.counts.timesOpened += 1;
    this.moveTo('open');
  }

  private moveTo(state: CircuitState): void {
    this.state = state;
    this.options.onChange?.(this.figures);
  }
}
