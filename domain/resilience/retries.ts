import type { Clock } from '../clock.ts';

/** Told of what is tried again; an operation that succeeds or fails at its first try is not its concern. */
export interface RetryObserver {
  /** Another try begins. */
  retried(): void;
  /**
   * An operation is over that was tried again, or would have been: `succeeded`; `failed`, with an error that is not for
   * another try; or `exhausted`, since tries, time or budget were used up.
   */
  ended(outcome: 'succeeded' | 'failed' | 'exhausted', durationMs: number): void;
}

export interface RetryBudgetLimits {
  /** Each call allows for this part of a retry. */
  readonly share: number;
  /** Retries that there are for in each second whatever the calls. */
  readonly perSecMin: number;
}

/** How much of `perSecMin` is saved up while nothing is retried. */
const savedSecs = 10;

/**
 * Bounds retries to a share of the calls, with some to spare for quiet times: when everything fails, trying all of it again and
 * again would be most of the load on what is trying to come back.
 */
export class RetryBudget {
  private readonly limits: RetryBudgetLimits;
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  private readonly tokensMax: number;
  private tokens: number;
  private filledMs: number;

  constructor(limits: RetryBudgetLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.limits = limits;
    this.clock = clock;
    this.tokensMax = Math.max(1, limits.perSecMin * savedSecs);
    this.tokens = this.tokensMax;
    this.filledMs = clock.monotonicMs();
  }

  /** A call was made for the first time. */
  called(): void {
    this.tokens = Math.min(this.tokensMax, this.tokens + this.limits.share);
  }

  /** Whether there is a retry left; then it counts as made. */
  take(): boolean {
    const nowMs = this.clock.monotonicMs();
    const filled = ((nowMs - this.filledMs) / 1_000) * this.limits.perSecMin;
    this.tokens = Math.min(this.tokensMax, this.tokens + filled);
    this.filledMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}

export interface RetryPolicy {
  readonly triesMax: number;
  /** Before the second try; doubled before each one after it, and up to half shorter by chance. */
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** From the first try on; none begins later. */
  readonly withinMs: number;
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
  /** Whether another try is right: the call had no effect, or may have it twice. */
  readonly isRetryable: (error: unknown) => boolean;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly observer: RetryObserver;
}

/**
 * Makes the call until it succeeds or there is no reason, time or budget for another try.
 * @throws the error of the last try
 */
export async function retrying<Result>(options: RetryOptions, call: () => Promise<Result>): Promise<Result> {
  const { policy, budget, isRetryable, clock, random, observer } = options;
  const startedMs = clock.monotonicMs();
  budget.called();
  for (let tries = 1; ; tries += 1) {
    try {
      const result = await call();
      if (tries > 1) observer.ended('succeeded', clock.monotonicMs() - startedMs);
      return result;
    } catch (error) {
      const tookMs = clock.monotonicMs() - startedMs;
      if (!isRetryable(error)) {
        if (tries > 1) observer.ended('failed', tookMs);
        throw error;
      }
      const delayMs =
        Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** (tries - 1)) * (0.5 + random() / 2);
      if (tries >= policy.triesMax || tookMs + delayMs > policy.withinMs || !budget.take()) {
        observer.ended('exhausted', tookMs);
        throw error;
      }
      await clock.sleep(delayMs);
      observer.retried();
    }
  }
}
