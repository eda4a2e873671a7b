import type { Clock } from '../domain/clock.ts';

/** What the retry loop must know of a failure; made by the caller, since errors look different across nodes. */
export type FailureKind =
  | 'rejected'
  | 'pushback'
  | 'fenced'
  /** The owner is not there, and the call was not sent. */
  | 'unreachable'
  /** The owner went away during the call, which may have taken effect. */
  | 'lost'
  | 'unknown'
  | 'corrupt';

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

/** After these, somebody else owns the store by now, or soon will. */
const worthRetrying: ReadonlySet<FailureKind> = new Set(['fenced', 'unreachable', 'lost']);
/** What these say, that nothing was stored, is true of the attempt that failed and of no other. */
const nothingStored: ReadonlySet<FailureKind> = new Set(['pushback', 'fenced', 'unreachable']);

/**
 * Calls the owner of a store until it answers or the time is up. Only a fenced or unreachable owner, or one that went
 * away, is tried again. All attempts carry the same request id, so one whose answer was lost is recognised and not
 * appended twice.
 *
 * @param attempt makes one call, given the milliseconds that are left
 * @returns the first answer
 * @throws the last failure, once it is of another kind or no time is left for another attempt; but the failure of an
 *   attempt that may have taken effect rather than a later one that says that nothing was stored
 */
export async function callOwner<Reply>(
  options: OwnerCallOptions,
  attempt: (timeLeftMs: number) => Promise<Reply>,
): Promise<Reply> {
  const { clock, random, deadlineMs, classify } = options;
  let lost: { readonly error: unknown } | null = null;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    try {
      return await attempt(Math.max(deadlineMs - clock.monotonicMs(), 1));
    } catch (error) {
      const kind = classify(error);
      const waitMs = delayMs * (0.5 + random());
      if (kind === 'lost') lost ??= { error };
      if (!worthRetrying.has(kind) || clock.monotonicMs() + waitMs >= deadlineMs) {
        throw lost !== null && nothingStored.has(kind) ? lost.error : error;
      }
      await clock.sleep(waitMs);
    }
  }
}
