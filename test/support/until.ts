import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the condition holds, and returns how many milliseconds that took.
 *
 * @throws Error naming what was waited for, when it takes longer than `timeoutMs`
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<number> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
  return performance.now() - startMs;
}
