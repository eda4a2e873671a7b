import { connectionsBeside, connectionsPerNode, planCapacity } from '../capacity/plan-capacity.ts';

export type TierName = 'production' | 'enterprise' | 'dedicated';

/** What a cluster is made for; docs/slo.md has the levels of service that go with each. */
export interface Tier {
  readonly name: TierName;
  readonly eventsPerSecond: number;
  /** Of a node of either kind. Equal ones keep the processor for it whatever else its machine does. */
  readonly cores: { readonly request: number; readonly limit: number };
  readonly memoryGib: number;
  /** Whether nodes must stand in three zones, or do so where they can. */
  readonly zonesRequired: boolean;
  /** Whether the machines are for nothing else: labelled, and tainted, `workload=sequencer`. */
  readonly ownMachines: boolean;
}

export const tiers: readonly Tier[] = [
  {
    name: 'production',
    eventsPerSecond: 5_000,
    cores: { request: 1, limit: 2 },
    memoryGib: 2,
    zonesRequired: false,
    ownMachines: false,
  },
  {
    name: 'enterprise',
    eventsPerSecond: 10_000,
    cores: { request: 2, limit: 2 },
    memoryGib: 2,
    zonesRequired: true,
    ownMachines: false,
  },
  {
    name: 'dedicated',
    eventsPerSecond: 25_000,
    cores: { request: 2, limit: 2 },
    memoryGib: 4,
    zonesRequired: true,
    ownMachines: true,
  },
];

/** How many nodes a tier has, and what they ask of Postgres. */
export interface TierSize {
  /** Of each kind, gateways and sequencers: enough for the tier's throughput in unsigned events. */
  readonly nodesMin: number;
  /** Of each kind: enough for all of it in signed events. */
  readonly nodesMax: number;
  /** `max_connections` when all of them run. */
  readonly postgresConnections: number;
  readonly postgresCores: number;
}

const secondsPerDay = 86_400;
/** The larger of the payloads that were measured. */
export const payloadBytes = 1_072;
/** Stores in use at once; they cost little (docs/capacity.md). */
export const streams = 10_000;

/**
 * The size of a tier, from measured figures (docs/capacity.md). They are of whole nodes. Here gateways and sequencers are apart, and
 * each kind is given as many as if it did all of the work: what a kind alone takes was not measured, and it is less.
 */
export function sizeOf({ eventsPerSecond }: Tier): TierSize {
  const plan = (signedShare: number): ReturnType<typeof planCapacity> =>
    planCapacity({
      eventsPerDay: eventsPerSecond * secondsPerDay,
      payloadBytes,
      agents: 100,
      streams,
      retentionDays: 365,
      signedShare,
      replicas: 1,
      // The throughput of a tier is what its busiest second has.
      peakFactor: 1,
      walArchiveDays: 7,
    });
  const [unsigned, signed] = [plan(0), plan(1)];
  const nodesMax = signed.nodes.advised;
  return {
    nodesMin: unsigned.nodes.advised,
    nodesMax,
    postgresConnections: 2 * nodesMax * connectionsPerNode + connectionsBeside,
    postgresCores: unsigned.postgres.cores,
  };
}
