import { type BytesOfEvent, bytesAt, measuredFigures as figures } from './measured.ts';

export interface Demand {
  readonly eventsPerDay: number;
  readonly payloadBytes: number;
  /** Each holds an HTTP connection. */
  readonly agents: number;
  /** Stores that are in use at the same time. */
  readonly streams: number;
  readonly retentionDays: number;
  /** From 0 to 1. */
  readonly signedShare: number;
  /** Streaming replicas of Postgres, each with all the data. */
  readonly replicas: number;
  /** The busiest second beside the mean of the day. */
  readonly peakFactor: number;
  readonly walArchiveDays: number;
}

export interface CapacityPlan {
  readonly demand: Demand;
  readonly rate: { readonly meanPerSecond: number; readonly peakPerSecond: number };
  /** Bytes on one server; `total` is over the primary, its replicas and the archive. */
  readonly storage: {
    readonly bytesPerEvent: number;
    readonly events: number;
    readonly commitments: number;
    readonly perServer: number;
    readonly walPerDay: number;
    readonly walArchive: number;
    readonly total: number;
  };
  readonly memory: { readonly nodeBytes: number; readonly liveStoresBytes: number; readonly perNode: number };
  /** Bytes a second at the peak. */
  readonly bandwidth: {
    readonly clients: number;
    readonly betweenNodes: number;
    readonly replication: number;
  };
  readonly nodes: { readonly forLoad: number; readonly advised: number };
  readonly postgres: { readonly cores: number; readonly connections: number };
  readonly httpConnectionsPerNode: number;
  readonly assumptions: readonly string[];
  readonly warnings: readonly string[];
}

/** Half of what was measured: the other half is for the loss of a node, a backup, and a machine that is not at rest. */
export const utilisationGoal = 0.5;
/** Fewer do not stay in service when one is gone and another restarts. */
const nodesMin = 3;
/** MAX_DB_CONNECTIONS and APPEND_CONNECTIONS as they are unless set, and two for API keys. */
export const connectionsPerNode = 10 + 3 + 2;
/** Claims, migrations, monitoring, and people. */
export const connectionsBeside = 20;
const connectionsPerReplica = 2;
/** MAX_CONNECTIONS of a node unless set. */
const httpConnectionsMax = 10_000;
const secondsPerDay = 86_400;
/** checkpoint_timeout as docs/tuning.md advises it. */
const checkpointsPerDay = 96;
/** That of event ids and that of entities. */
const randomIndexes = 2;

/** What a demand takes, computed from measured figures and nothing else. */
export function planCapacity(demand: Demand): CapacityPlan {
  const { eventsPerDay, retentionDays, signedShare, replicas, peakFactor, walArchiveDays, streams } = demand;
  const mixed = (column: keyof BytesOfEvent): number =>
    (1 - signedShare) * bytesAt(figures.unsigned[column], demand.payloadBytes) +
    signedShare * bytesAt(figures.signed[column], demand.payloadBytes);
  const meanPerSecond = eventsPerDay / secondsPerDay;
  const peakPerSecond = meanPerSecond * peakFactor;
  const eventsKept = eventsPerDay * retentionDays;
  const bytesPerEvent = mixed('table') + figures.entityCountBytes.value;
  const events = eventsKept * bytesPerEvent;
  const commitments = eventsKept * figures.commitmentBytes.value;
  const walPerDay = eventsPerDay * mixed('wal') + wholePagesPerDay(demand) * figures.wholePageBytes.value;
  const walPerEvent = walPerDay / Math.max(1, eventsPerDay);
  const perServer = events + commitments;
  const load =
    (peakPerSecond * (1 - signedShare)) / figures.unsignedPerNode.value +
    (peakPerSecond * signedShare) / figures.signedPerNode.value;
  const forLoad = Math.max(1, Math.ceil(load / utilisationGoal));
  // One more than the load needs, so that it stays served while one is gone.
  const advised = Math.max(nodesMin, forLoad + 1);
  const nodeBytes = figures.nodeMegabytesBusy.value * 1_048_576;
  const liveStoresBytes = Math.ceil(streams / (advised - 1)) * figures.liveStoreBytes.value;
  const clients = peakPerSecond * mixed('request');
  const walArchive = walPerDay * walArchiveDays;
  return {
    demand,
    rate: { meanPerSecond, peakPerSecond },
    storage: {
      bytesPerEvent,
      events,
      commitments,
      perServer,
      walPerDay,
      walArchive,
      total: perServer * (1 + replicas) + walArchive,
    },
    memory: { nodeBytes, liveStoresBytes, perNode: nodeBytes + liveStoresBytes },
    bandwidth: {
      clients,
      // A request comes to its owner by chance in one of n cases.
      betweenNodes: (clients * (advised - 1)) / advised,
      replication: peakPerSecond * walPerEvent * replicas,
    },
    nodes: { forLoad, advised },
    postgres: {
      cores: Math.max(
        2,
        Math.ceil((peakPerSecond * figures.postgresMicros.value) / 1_000_000 / utilisationGoal),
      ),
      connections: advised * connectionsPerNode + connectionsBeside + replicas * connectionsPerReplica,
    },
    httpConnectionsPerNode: Math.ceil(demand.agents / (advised - 1)),
    assumptions: assumptionsOf(demand),
    warnings: warningsOf(demand, peakPerSecond, Math.ceil(demand.agents / (advised - 1))),
  };
}

/**
 * How many pages of indexes are written to the WAL whole, as each is at its first change after a checkpoint, once all days are
 * filled. An event changes any page of an index with the same chance: n events leave k·e^(-n/k) of its k pages as they were.
 */
function wholePagesPerDay({ eventsPerDay, retentionDays }: Demand): number {
  const events = eventsPerDay / checkpointsPerDay;
  const pages = Math.max(1, (eventsPerDay * retentionDays) / figures.indexEntriesOfPage.value);
  return checkpointsPerDay * randomIndexes * pages * -Math.expm1(-events / pages);
}

function assumptionsOf({ peakFactor, walArchiveDays }: Demand): string[] {
  return [
    `The busiest second has ${peakFactor} times the events of the mean one; nodes and Postgres are sized to half of what was measured.`,
    'Clients send 100 events a request or more; one event a request costs several times as much (bench/README.md).',
    'Each event is of an entity of its own, the most that entity counts can take.',
    'Bytes grow along a line from the sizes that were measured, 155 and 1,072 bytes of payload; large payloads that compress take less.',
    'Every event gets into a commitment of about 1,000.',
    `WAL is archived for ${walArchiveDays} days. Index pages that are written whole after a checkpoint each 15 minutes are in it; closer checkpoints write more.`,
    'Free space for vacuum, indexes that are built anew and growth is not in it: add a third.',
    'Nodes have the default pools. Rates were measured on two cores shared by node, Postgres and load.',
  ];
}

function warningsOf(demand: Demand, peakPerSecond: number, httpConnections: number): string[] {
  const warnings: string[] = [];
  const perStream = peakPerSecond / Math.max(1, demand.streams);
  const streamMax = figures.unsignedPerStream.value;
  if (perStream > streamMax * utilisationGoal) {
    warnings.push(
      `Each stream would get ${Math.round(perStream)} events a second at the peak, and one took ${streamMax} at most: more nodes do not help there, more stores do.`,
    );
  }
  if (httpConnections > httpConnectionsMax) {
    warnings.push(
      `A node would hold ${httpConnections} connections when one is gone: raise MAX_CONNECTIONS (${httpConnectionsMax}) and the limit of file descriptors, or add nodes.`,
    );
  }
  return warnings;
}
