import type { FaultRecord, RecoveryAfter } from './inflict.ts';
import { recoveryMoments } from './inflict.ts';

/** The times to recover of all faults, by the moment from which they count. */
export interface RecoveryTimes {
  readonly after: RecoveryAfter;
  /** How many were measured, those that never ended included. */
  readonly count: number;
  /** Milliseconds; null when it was not over within the bound. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Percentiles by rank, so that of few values the P99 is the largest. Moments that were not met are left out. */
export function recoveryTimes(faults: readonly FaultRecord[]): RecoveryTimes[] {
  return recoveryMoments.flatMap((after) => {
    const times = faults
      .flatMap(({ recoveries }) => recoveries)
      .filter((recovery) => recovery.after === after)
      .map(({ ms }) => ms ?? Infinity)
      .sort((a, b) => a - b);
    if (times.length === 0) return [];
    const percentile = (share: number): number | null => {
      const value = times[Math.ceil(share * times.length) - 1] ?? Infinity;
      return value === Infinity ? null : value;
    };
    return [{ after, count: times.length, p50Ms: percentile(0.5), p99Ms: percentile(0.99) }];
  });
}

export function secondsText(ms: number | null): string {
  return ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
}
