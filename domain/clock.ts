import type { Micros } from './types.ts';

/** The one door through which time comes in; the simulator hands in a virtual one. */
export interface Clock {
  /** Wall-clock time in microseconds; may jump, so nothing about safety depends on it. */
  nowMicros(): Micros;
  /** Milliseconds that only grow, for deadlines and durations. */
  monotonicMs(): number;
  /** Resolves after at least `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Calls `run` once after `ms` milliseconds unless cancelled; never keeps the process alive. */
  after(ms: number, run: () => void): { cancel(): void };
}
