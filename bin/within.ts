import { setTimeout as sleep } from 'node:timers/promises';

/** The step's result, or `late` when the time runs out first; the step then goes on unobserved. */
export async function within<Result>(ms: number, step: Promise<Result>): Promise<Result | 'late'> {
  const timer = new AbortController();
  try {
    return await Promise.race([step, sleep(ms, 'late' as const, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
