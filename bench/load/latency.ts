import { build, type Histogram } from 'hdr-histogram-js';

/** How long requests waited, in milliseconds. */
export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The whole of it: how many took longer than the bound before and at most this long. */
  readonly buckets: readonly LatencyBucket[];
}

export interface LatencyBucket {
  readonly toMs: number;
  readonly count: number;
}

/** Bounds of the buckets: ten to each power of ten, from 0.1 ms to 80 s. */
export const bucketBoundsMs: readonly number[] = [-1, 0, 1, 2, 3, 4].flatMap((power) =>
  [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8].map((factor) => Number((factor * 10 ** power).toPrecision(3))),
);

/** In microseconds. */
export function openLatencies(): Histogram {
  return build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 3 });
}

export function latencyFigures(latencyUs: Histogram): LatencyFigures {
  const ms = (percentile: number): number => latencyUs.getValueAtPercentile(percentile) / 1_000;
  return {
    ...{ p50Ms: ms(50), p95Ms: ms(95), p99Ms: ms(99), maxMs: latencyUs.maxValue / 1_000 },
    buckets: bucketsOf(latencyUs),
  };
}

function bucketsOf(latencyUs: Histogram): LatencyBucket[] {
  const last = bucketBoundsMs.length - 1;
  const counts = bucketBoundsMs.map(() => 0);
  for (const recorded of recordedValues(latencyUs)) {
    const found = bucketBoundsMs.findIndex((bound) => recorded.valueUs <= bound * 1_000);
    counts[found === -1 ? last : found]! += recorded.count;
  }
  return bucketBoundsMs
    .map((toMs, index) => ({ toMs, count: Math.round(counts[index]!) }))
    .filter(({ count }) => count > 0);
}

/** The library iterates over percentiles in public only; steps of a thousandth lose nothing that a chart shows. */
function recordedValues(latencyUs: Histogram): { valueUs: number; count: number }[] {
  const total = latencyUs.totalCount;
  const steps = Math.min(total, 1_000);
  return Array.from({ length: steps }, (_, step) => ({
    valueUs: latencyUs.getValueAtPercentile(((step + 0.5) / steps) * 100),
    count: total / steps,
  }));
}
