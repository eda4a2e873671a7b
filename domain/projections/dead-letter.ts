import type { RefusalReason } from './refusal.ts';

/** Why an event lies among the dead letters. */
export type DeadLetterReason = Exclude<RefusalReason, 'entity_not_found'> | 'unknown';

/**
 * `pending` is tried again at its time, `retrying` is being tried, `failed` is tried no more unless someone asks, `resolved`
 * was applied.
 */
export type DeadLetterStatus = 'pending' | 'retrying' | 'failed' | 'resolved';

export const deadLetterReasons: readonly DeadLetterReason[] = [
  'schema_validation',
  'invariant_violation',
  'invalid_state_transition',
  'version_conflict',
  'handler_error',
  'unknown',
];
export const deadLetterStatuses: readonly DeadLetterStatus[] = ['pending', 'retrying', 'failed', 'resolved'];

/** Tries after the first. */
export const retriesMax = 10;
const firstDelaySecs = 60;
const delaySecsMax = 3_600;
const delaySecsMin = 1;
const jitter = 0.25;
/** Another try of the same event would end in the same way. */
const finalReasons: ReadonlySet<DeadLetterReason> = new Set<DeadLetterReason>([
  'invariant_violation',
  'invalid_state_transition',
]);

export function deadLetterReason(reason: RefusalReason): DeadLetterReason {
  return reason === 'entity_not_found' ? 'unknown' : reason;
}

/** When to try next. */
export interface NextTry {
  readonly status: 'pending' | 'failed';
  /** Null when it is tried no more. */
  readonly delaySecs: number | null;
}

/**
 * What becomes of an event after a refusal: the delay doubles from a minute up to an hour, with a quarter of jitter either way,
 * so that what failed together is not tried together.
 * @param retryCount how often it was tried after the first time
 * @param random from 0 up to 1
 */
export function nextTry(reason: DeadLetterReason, retryCount: number, random: number): NextTry {
  if (finalReasons.has(reason) || retryCount >= retriesMax) return { status: 'failed', delaySecs: null };
  const delaySecs = Math.min(firstDelaySecs * 2 ** retryCount, delaySecsMax);
  return {
    status: 'pending',
    delaySecs: Math.max(delaySecs * (1 + jitter * (2 * random - 1)), delaySecsMin),
  };
}
