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
  /** Slow calls open it as failures do; null when slowness alone is no reason. */
  readonly slowCalls: SlowCallRule | null;
}

export interface SlowCallRule {
  /** A call that takes this long is slow. */
  readonly slowMs: number;
  /** So many of them in the window open it, */
  readonly slowMin: number;
  /** if they are at least this part of the calls in it. */
  readonly shareMin: number;
}

/** Those of the reference. */
export const circuitLimits: CircuitLimits = {
  failuresMax: 5,
  windowMs: 60_000,
  openMs: 30_000,
  openMsMax: 300_000,
  probesMax: 3,
  successesMin: 3,
  slowCalls: null,
};

export interface CircuitFigures {
  readonly name: string;
  readonly state: CircuitState;
  readonly successes: number;
  readonly failures: number;
  /** Calls that were not made, since the circuit was open. */
  readonly rejected: number;
  readonly timesOpened: number;
  readonly timesClosed: number;
  /** By the rule; 0 without one. */
  readonly slowCalls: number;
  /** Of the calls that were made and judged; 0 before the first. */
  readonly averageMs: number;
}

/**
 * What became of a call: `none` when it says nothing about what is behind, as when the caller did not wait long enough. A
 * second verdict on the same call is not heard.
 */
export type CircuitVerdict = 'success' | 'failure' | 'none';

/** The right to make one call. */
export type CircuitPermit = (verdict: CircuitVerdict) => void;

export interface CircuitBreakerOptions {
  /** What is behind it; one of few, since it names a metric's series. */
  readonly name: string;
  readonly limits: CircuitLimits;
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
 *
 * It only ever keeps a call from being made: what became of one that was made is for the caller to tell, and is passed on as it is.
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
  /** What the rule about slow calls looks at. */
  private window = { fromMs: 0, calls: 0, slow: 0 };
  private totalMs = 0;
  private readonly counts = {
    successes: 0,
    failures: 0,
    rejected: 0,
    timesOpened: 0,
    timesClosed: 0,
    slowCalls: 0,
  };

  constructor(options: CircuitBreakerOptions) {
    this.options = options;
  }

  get figures(): CircuitFigures {
    const { name, clock } = this.options;
    const { successes, failures } = this.counts;
    const isDue = this.state === 'open' && clock.monotonicMs() >= this.opensUntilMs;
    return {
      name,
      // Nobody may have called since.
      state: isDue ? 'half_open' : this.state,
      ...this.counts,
      averageMs: this.totalMs / Math.max(1, successes + failures),
    };
  }

  /**
   * Makes the call, or not.
   * @param judge what an error says of what is behind: `failure` that it is broken, `success` that it only dislikes the call
   * @throws CircuitOpen when it was not made; else what the call throws
   */
  async run<Result>(call: () => Promise<Result>, judge: (error: unknown) => CircuitVerdict): Promise<Result> {
    const settle = this.admit();
    try {
      const result = await call();
      settle('success');
      return result;
    } catch (error) {
      settle(judge(error));
      throw error;
    }
  }

  /**
   * For calls that are made elsewhere. Whoever gets a permit must give its verdict, since probes are few.
   * @throws CircuitOpen
   */
  admit(): CircuitPermit {
    const { clock, limits, name } = this.options;
    const startedMs = clock.monotonicMs();
    if (this.state === 'open' && startedMs >= this.opensUntilMs) {
      this.probes = 0;
      this.probesSucceeded = 0;
      this.moveTo('half_open');
    }
    const isProbe = this.state === 'half_open' && this.probes < limits.probesMax;
    if (this.state !== 'closed' && !isProbe) {
      this.counts.rejected += 1;
      throw new CircuitOpen(`${name}: not asked, since it failed again and again`, {
        circuit: name,
        retryAfterMs: Math.max(0, this.opensUntilMs - startedMs),
      });
    }
    if (isProbe) this.probes += 1;
    // A call that began before the circuit opened last proves nothing about now.
    const probeOf = isProbe ? this.counts.timesOpened : null;
    let isSettled = false;
    return (verdict) => {
      if (isSettled) return;
      isSettled = true;
      this.settle(verdict, { startedMs, probeOf });
    };
  }

  private settle(
    verdict: CircuitVerdict,
    { startedMs, probeOf }: { readonly startedMs: number; readonly probeOf: number | null },
  ): void {
    const isProbe = this.state === 'half_open' && probeOf === this.counts.timesOpened;
    if (verdict === 'none') {
      if (isProbe) this.probes -= 1;
      return;
    }
    const nowMs = this.options.clock.monotonicMs();
    this.totalMs += nowMs - startedMs;
    const isTooSlow = this.noteDuration(nowMs, nowMs - startedMs);
    if (verdict === 'success') this.succeeded(isProbe);
    else this.failed(isProbe, nowMs);
    if (isTooSlow && this.state === 'closed') this.open();
  }

  /** @returns whether the rule about slow calls wants it open */
  private noteDuration(nowMs: number, durationMs: number): boolean {
    const { slowCalls: rule, windowMs } = this.options.limits;
    if (rule === null) return false;
    if (nowMs >= this.window.fromMs + windowMs) this.window = { fromMs: nowMs, calls: 0, slow: 0 };
    this.window.calls += 1;
    if (durationMs < rule.slowMs) return false;
    this.window.slow += 1;
    this.counts.slowCalls += 1;
    return this.window.slow >= rule.slowMin && this.window.slow >= this.window.calls * rule.shareMin;
  }

  private succeeded(isProbe: boolean): void {
    this.counts.successes += 1;
    if (this.state === 'closed') this.failedAtMs = [];
    if (!isProbe) return;
    this.probes -= 1;
    this.probesSucceeded += 1;
    if (this.probesSucceeded < this.options.limits.successesMin) return;
    this.failedAtMs = [];
    this.opensInARow = 0;
    this.counts.timesClosed += 1;
    this.moveTo('closed');
  }

  private failed(isProbe: boolean, nowMs: number): void {
    this.counts.failures += 1;
    if (isProbe) return this.open();
    if (this.state !== 'closed') return;
    const { failuresMax, windowMs } = this.options.limits;
    this.failedAtMs = [...this.failedAtMs.filter((atMs) => atMs > nowMs - windowMs), nowMs];
    if (this.failedAtMs.length >= failuresMax) this.open();
  }

  private open(): void {
    const { limits, clock, random } = this.options;
    const openMs = Math.min(limits.openMsMax, limits.openMs * 2 ** this.opensInARow);
    this.opensUntilMs = clock.monotonicMs() + openMs * (1 + random() / 10);
    this.opensInARow += 1;
    this.window = { fromMs: clock.monotonicMs(), calls: 0, slow: 0 };
    this.counts.timesOpened += 1;
    this.moveTo('open');
  }

  private moveTo(state: CircuitState): void {
    this.state = state;
    this.options.onChange?.(this.figures);
  }
}
