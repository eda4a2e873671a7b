import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import type { Micros } from '../domain/types.ts';

/** The machine's clock. */
export const systemClock: Clock = {
  nowMicros: () => (BigInt(Date.now()) * 1_000n) as Micros,
  monotonicMs: () => performance.now(),
  sleep: (ms) => sleep(ms),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
