import type { Clock } from '../domain/clock.ts';

/** What the retry loop must know of a failure; made by the caller, since errors look different across nodes. */
export type FailureKind = 'rejected' | 'pushback' | 'fenced' | 'unreachable' | 'unknown' | 'corrupt';

export interface OwnerCallOptions {
  readonly clock: Clock;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  /** When the client stops waiting, on the clock's monotonic scale. */
  readonly deadlineMs: number;
  readonly classify: (error: unknown) => FailureKind;
}

const firstDelayMs = 20;
const delayMaxMs = 500;

/**
 * Calls the owner of a store until it answers or the time is up. Only a fenced or unreachable owner is tried again:
 * both mean that somebody else owns the store by now, or soon will. All attempts carry the same request id, so one
 * whose answer was lost is recognised and not appended twice.
 *
 * @param attempt makes one call, given the milliseconds that are left
 * @returns the first answer
 * @throws the last failure, once it is of another kind or no time is left for another attempt
 */
export async function callOwner<Reply>(
  options: OwnerCallOptions,
  attempt: (timeLeftMs: number) => Promise<Reply>,
): Promise<Reply> {
  const { clock, random, deadlineMs, classify } = options;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    try {
      return await attempt(Math.max(deadlineMs - clock.monotonicMs(), 1));
    } catch (error) {
      const kind = classify(error);
      const waitMs = delayMs * (0.5 + random());
      const worthRetrying = kind === 'fenced' || kind === 'unreachable';
      if (!worthRetrying || clock.monotonicMs() + waitMs >= deadlineMs) throw error;
      await clock.sleep(waitMs);
    }
  }
}
