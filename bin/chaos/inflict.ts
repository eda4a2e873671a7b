import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import type { FaultKind, PlannedFault } from './plan-faults.ts';
import type { Prober } from './prober.ts';
import type { Tally } from './tally.ts';

/** What was done, when, and how long it took until every stream accepted events again. */
export interface FaultRecord {
  readonly kind: FaultKind;
  /** The node that was hit, where it was one. */
  readonly node: string | null;
  /** From the first blow to when its cause was gone, in milliseconds of the run. */
  readonly startMs: number;
  readonly endMs: number;
  readonly recoveries: readonly Recovery[];
}

/** One time to recover: until every stream had accepted an event by way of every gateway that should serve. */
export interface Recovery {
  readonly after: RecoveryAfter;
  /** Null when it was not over within the bound. */
  readonly ms: number | null;
}

/** From when the time to recover counts, in the words of the report. */
export const recoveryMoments = [
  'kill -9, by way of the others',
  'SIGSTOP, by way of the others',
  'SIGCONT',
  'NATS is back',
  'Postgres is back',
  'a node has left, by way of the others',
  'a node is back',
] as const;
export type RecoveryAfter = (typeof recoveryMoments)[number];

export interface InflictContext {
  readonly cluster: Cluster;
  readonly prober: Prober;
  readonly tally: Tally;
  /** How long a recovery may take. */
  readonly recoveryMsMax: number;
}

/** Does one fault to the cluster, and returns once it has recovered or may not any more. */
export async function inflict(fault: PlannedFault, context: InflictContext): Promise<FaultRecord> {
  const { tally } = context;
  const node = context.cluster.nodes[fault.node % context.cluster.nodes.length]!;
  const startMs = tally.nowMs();
  const recoveries: Recovery[] = [];
  const isGoneMs = await faults[fault.kind]({ ...context, fault, node, recoveries });
  return {
    kind: fault.kind,
    node: fault.kind === 'kill' || fault.kind === 'pause' ? node.name : null,
    startMs,
    endMs: isGoneMs,
    recoveries,
  };
}

interface Blow extends InflictContext {
  readonly fault: PlannedFault;
  readonly node: ClusterNode;
  readonly recoveries: Recovery[];
}

/** Each returns when its cause was gone. */
const faults: Readonly<Record<FaultKind, (blow: Blow) => Promise<number>>> = {
  async kill(blow) {
    await blow.node.kill();
    await recover(blow, 'kill -9, by way of the others', others(blow));
    await sleep(blow.fault.awayMs);
    await blow.node.start();
    return recoverAll(blow, 'a node is back');
  },

  async pause(blow) {
    blow.node.pause();
    // At the same time: the others may not have given it up when it goes on, and then serve because of that.
    await Promise.all([
      recover(blow, 'SIGSTOP, by way of the others', others(blow)),
      sleep(blow.fault.awayMs).then(() => blow.node.resume()),
    ]);
    return recoverAll(blow, 'SIGCONT');
  },

  async 'restart NATS'(blow) {
    await blow.cluster.nats.kill();
    await sleep(blow.fault.awayMs);
    await blow.cluster.nats.start();
    return recoverAll(blow, 'NATS is back');
  },

  async 'crash Postgres'(blow) {
    await blow.cluster.postgres.crash();
    await sleep(blow.fault.awayMs);
    await blow.cluster.postgres.restart();
    return recoverAll(blow, 'Postgres is back');
  },

  async 'rolling restart'(blow) {
    let isGoneMs = 0;
    for (const node of blow.cluster.nodes) {
      await node.leave();
      await recover(blow, 'a node has left, by way of the others', others({ ...blow, node }));
      await node.start();
      isGoneMs = await recoverAll(blow, 'a node is back');
    }
    return isGoneMs;
  },
};

async function recoverAll(blow: Blow, after: RecoveryAfter): Promise<number> {
  const isGoneMs = blow.tally.nowMs();
  await recover(blow, after, blow.cluster.nodes);
  return isGoneMs;
}

async function recover(blow: Blow, after: RecoveryAfter, nodes: readonly ClusterNode[]): Promise<void> {
  const gateways = nodes.map(({ url }) => url);
  blow.recoveries.push({ after, ms: await blow.prober.measureRecovery(gateways, blow.recoveryMsMax) });
}

function others({ cluster, node }: Pick<Blow, 'cluster' | 'node'>): ClusterNode[] {
  return cluster.nodes.filter((other) => other !== node);
}
