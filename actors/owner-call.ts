import type { Clock } from '../domain/clock.ts';
import type { RetryBudget, RetryObserver } from '../domain/resilience/retries.ts';

/**
 * What the retry loop must know of a failure; made by the caller, since errors look different across nodes. Beside the
 * kinds of our errors: `unreachable` is certain not to have reached the owner, and what is `lost` may have.
 */
export type FailureKind = 'rejected' | 'pushback' | 'fenced' | 'unreachable' | 'lost' | 'unknown' | 'corrupt';

export interface OwnerCallOptions {
  readonly clock: Clock;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  /** When the client stops waiting, on the clock's monotonic scale. */
  readonly deadlineMs: number;
  readonly classify: (error: unknown) => FailureKind;
  /** Whom a fence names as the owner by now, or null. */
  readonly claimantOf?: (error: unknown) => string | null;
  /** Bounds the tries of all calls together; those of one are bounded by its time alone unless given. */
  readonly budget?: RetryBudget;
  readonly observer?: RetryObserver;
}

const firstDelayMs = 20;
const delayMaxMs = 500;

const retried: ReadonlySet<FailureKind> = new Set(['fenced', 'unreachable', 'lost']);
/** Answers that say that nothing was stored, of this attempt. */
const storedNothing: ReadonlySet<FailureKind> = new Set(['pushback', 'fenced', 'unreachable']);

/**
 * Calls the owner of a store until it answers or the time is up. Only a fenced, unreachable or vanished owner is tried
 * again: all mean that somebody else owns the store by now, or soon will. A fence names the new owner, who is tried at
 * once. All attempts carry the same request id, so one whose answer was lost is recognised and not appended twice.
 *
 * @param attempt makes one call, given the milliseconds that are left and, after a fence, the claimant it named
 * @returns the first answer
 * @throws the last failure, once it is of another kind or no time or budget is left for another attempt; but the failure of an
 *   attempt that may have been stored rather than a later one that says of itself alone that nothing was
 */
export async function callOwner<Reply>(
  options: OwnerCallOptions,
  attempt: (timeLeftMs: number, claimant: string | null) => Promise<Reply>,
): Promise<Reply> {
  const { clock, random, deadlineMs, classify, claimantOf, budget, observer } = options;
  const startedMs = clock.monotonicMs();
  budget?.called();
  let claimant: string | null = null;
  let lost: { readonly error: unknown } | null = null;
  let retries = 0;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    try {
      const reply = await attempt(Math.max(deadlineMs - clock.monotonicMs(), 1), claimant);
      if (retries > 0) observer?.ended('succeeded', clock.monotonicMs() - startedMs);
      return reply;
    } catch (error) {
      const kind = classify(error);
      if (kind === 'lost') lost = { error };
      const named: string | null = kind === 'fenced' ? (claimantOf?.(error) ?? null) : null;
      // Two owners that each name the other would otherwise be asked without a pause.
      const waitMs = named !== null && claimant === null ? 0 : delayMs * (0.5 + random());
      claimant = named !== claimant ? named : null;
      const isFinal = !retried.has(kind);
      const isOver = clock.monotonicMs() + waitMs >= deadlineMs;
      // What does not leave this node costs the others nothing.
      if (isFinal || isOver || (kind !== 'unreachable' && budget?.take() === false)) {
        if (!isFinal || retries > 0) {
          observer?.ended(isFinal ? 'failed' : 'exhausted', clock.monotonicMs() - startedMs);
        }
        throw lost !== null && storedNothing.has(kind) ? lost.error : error;
      }
      if (waitMs > 0) await clock.sleep(waitMs);
      retries += 1;
      observer?.retried();
    }
  }
}
