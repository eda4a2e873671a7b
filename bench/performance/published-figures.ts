/** What the reference says of itself: four cores, with Postgres on the same host. */

/** Events a second: by events a request, then by connections. */
export const publishedIngest: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  1: { 1: 450, 10: 3_200, 50: 5_100, 100: 4_800 },
  10: { 1: 3_800, 10: 12_500, 50: 18_200, 100: 16_800 },
  50: { 1: 12_100, 10: 35_000, 50: 48_500, 100: 45_200 },
  100: { 1: 18_500, 10: 52_000, 50: 68_000, 100: 62_000 },
  500: { 1: 28_000, 10: 75_000, 50: 78_500, 100: 76_000 },
};

/** P50, P95 and P99 in milliseconds, by events a request. */
export const publishedIngestLatency: Readonly<Record<number, Percentiles>> = {
  1: [8, 35, 85],
  10: [12, 48, 120],
  50: [15, 62, 150],
  100: [18, 75, 180],
  500: [22, 95, 220],
};

export type Percentiles = readonly [p50: number, p95: number, p99: number];

export interface Tier {
  readonly name: string;
  readonly eventsPerSecond: number;
  readonly ingestMs: Percentiles;
  readonly commitmentsPerSecond: number;
  /** Average, P95, P99. */
  readonly commitmentMs: Percentiles;
  readonly proofsPerSecond: number;
  /** Average, P95, P99. */
  readonly proofMicros: Percentiles;
}

export const publishedTiers: readonly Tier[] = [
  {
    name: 'Production',
    ...{ eventsPerSecond: 5_000, ingestMs: [10, 50, 100] },
    ...{ commitmentsPerSecond: 1_000, commitmentMs: [5, 15, 30] },
    ...{ proofsPerSecond: 10_000, proofMicros: [20, 50, 100] },
  },
  {
    name: 'Enterprise',
    ...{ eventsPerSecond: 10_000, ingestMs: [8, 40, 80] },
    ...{ commitmentsPerSecond: 2_000, commitmentMs: [3, 10, 20] },
    ...{ proofsPerSecond: 20_000, proofMicros: [15, 40, 80] },
  },
  {
    name: 'Dedicated',
    ...{ eventsPerSecond: 25_000, ingestMs: [5, 25, 50] },
    ...{ commitmentsPerSecond: 5_000, commitmentMs: [2, 5, 10] },
    ...{ proofsPerSecond: 50_000, proofMicros: [10, 25, 50] },
  },
];

/** Commitments a second, by the number of their events. */
export const publishedCommitments: Readonly<Record<number, number>> = {
  10: 2_500,
  50: 1_800,
  100: 1_200,
  500: 850,
  1_000: 550,
};

/** Verifications of inclusion proofs a second on one thread, by the depth of the tree. */
export const publishedVerifications: Readonly<Record<number, number>> = {
  10: 12_500,
  12: 11_200,
  14: 9_800,
  16: 8_500,
};

/** Looking an API key up that is cached. */
export const publishedKeyLookupMicros = 300;

/** Milliseconds of statements and of what consists of some. */
export const publishedQueries = {
  insert: [0.8, 1.5, 2.8],
  'batch insert of 100': [4.5, 7.2, 11.5],
  range: [1.2, 3.5, 8],
  'entity history': [2.8, 6.5, 12],
  head: [0.3, 0.6, 1.2],
  'insert commitment': [0.5, 1, 2.2],
  'select commitment': [0.4, 0.8, 1.8],
  'latest commitment': [0.6, 1.2, 2.5],
} as const satisfies Readonly<Record<string, Percentiles>>;

/** Percent of look-ups that a cache answered. */
export const publishedHitRates = {
  'agent keys': 98.5,
  commitments: 95.2,
  schemas: 92.8,
  proofs: 88.5,
} as const;

export const publishedBytesPerEvent = 4_096;
