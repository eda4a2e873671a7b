interface Tier {
  readonly eventsPerSecond: number;
  readonly ingestMs: readonly [p50: number, p95: number, p99: number];
}

export const tiers: Readonly<Record<string, Tier>>;
export function thresholdsOf(tier: Tier): Readonly<Record<string, readonly string[]>>;
