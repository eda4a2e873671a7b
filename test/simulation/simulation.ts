import { checkHistory } from '../../domain/history/check-history.ts';
import type { HistoryRecord } from '../../domain/history/record.ts';
import { type Sequence, storeKeyText } from '../../domain/types.ts';
import { Nemesis } from './nemesis.ts';
import { type Sabotage, SabotagedEventLog } from './sabotaged-event-log.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedNode } from './simulated-node.ts';
import { SimulatedStorage } from './simulated-storage.ts';
import { readEvent, type Stream, Workload } from './workload.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly sabotage?: Sabotage | null;
  /** Gets a line for every step. */
  readonly onTrace?: (line: string) => void;
}

/** A promise that did not hold in a run. */
export interface BrokenPromise {
  /** A rule of the history checker, or one of the watches of this file. */
  readonly rule: string;
  readonly message: string;
  /** The records that contradict each other, where the rule is about records. */
  readonly records: readonly HistoryRecord[];
}

export interface SimulationReport {
  readonly seed: number;
  readonly broken: readonly BrokenPromise[];
  readonly traceHash: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly eventsStored: number;
  /** How often which fault struck and what the requests and appends came to. */
  readonly tally: ReadonlyMap<string, number>;
}

const faultsMs = 15_000;
/** From the end of all faults until every stream has accepted a fresh event. */
const recoveryMaxMs = 10_000;
/** Longer than any call that is still under way can take. */
const quietMaxMs = 60_000;

/** One run: a cluster with clients and faults, all of it a function of the seed, and then the verdict on what was seen. */
export async function simulate({
  seed,
  sabotage = null,
  onTrace,
}: SimulationOptions): Promise<SimulationReport> {
  const scheduler = new Scheduler(seed, onTrace);
  const storage = new SimulatedStorage(scheduler, new SabotagedEventLog(sabotage));
  const network = new SimulatedNetwork(scheduler);
  const nodes = openNodes(network, storage, sabotage === 'request-id');
  const workload = new Workload(network, nodes);
  const nemesis = new Nemesis(network, storage, nodes);
  const broken: BrokenPromise[] = [];

  nemesis.unleash(faultsMs);
  let clientsLeft = 0;
  const start = (client: Promise<void>): void => {
    clientsLeft++;
    void client.then(() => clientsLeft--);
  };
  for (const number of [1, 2, 3]) start(workload.runWriter(`writer-${number}`, 15));
  start(workload.runReader('reader', 15));
  await scheduler.runUntil(() => false, faultsMs);

  nemesis.heal();
  scheduler.note('all faults have ended');
  const waiting = new Set<Stream>(workload.streams);
  for (const stream of workload.streams) {
    void workload.appendFresh(`prober of ${stream.name}`, stream).then(() => waiting.delete(stream));
  }
  await scheduler.runUntil(() => waiting.size === 0, recoveryMaxMs);
  for (const { name } of waiting) {
    const message = `${name} accepted no event within ${recoveryMaxMs} ms after all faults had ended`;
    broken.push({ rule: 'every-stream-recovers', message, records: [] });
  }
  const isQuiet = (): boolean =>
    clientsLeft === 0 && storage.inFlight === 0 && nodes.every((node) => node.serving === 0);
  if (!(await scheduler.runUntil(isQuiet, quietMaxMs))) {
    const unanswered = nodes.reduce((sum, node) => sum + node.serving, 0);
    const message = `${unanswered} requests that owners took were never answered; ${clientsLeft} clients wait`;
    broken.push({ rule: 'every-command-answered', message, records: [] });
  }
  broken.push(
    ...workload.corruptions.map((message) => ({ rule: 'no-invariant-broken', message, records: [] })),
  );
  recordClaims(workload, storage);
  broken.push(...(await readToEnd(workload, storage)));
  broken.push(...judge(workload));
  return {
    seed,
    broken,
    traceHash: scheduler.traceHash,
    steps: scheduler.stepCount,
    virtualMs: scheduler.nowMs,
    tally: scheduler.tally,
    eventsStored: workload.history.flatMap((record) =>
      record.type === 'read' && record.final === true ? record.events : [],
    ).length,
  };
}

function openNodes(
  network: SimulatedNetwork,
  storage: SimulatedStorage,
  forgetsRequestIds: boolean,
): SimulatedNode[] {
  const names = ['node-1', 'node-2', 'node-3'];
  return names.map((name) => {
    const node = new SimulatedNode({ name, network, storage, forgetsRequestIds });
    for (const other of names) node.addMember(other);
    network.join(node);
    return node;
  });
}

function recordClaims({ streams, history }: Workload, { claims }: SimulatedStorage): void {
  for (const { node, claim, ...times } of claims) {
    for (const { name, store, world } of streams) {
      if (storeKeyText(store) !== storeKeyText(claim)) continue;
      const call = { process: `${node} claiming ${name}`, stream: name, ...times };
      history.push({ type: 'claim', ...call, epoch: claim.epoch, head: claim.heads[world] });
    }
  }
}

/** The final reading, which goes past all faults; with it the times of the events, which a history does not have. */
async function readToEnd(workload: Workload, storage: SimulatedStorage): Promise<BrokenPromise[]> {
  const broken: BrokenPromise[] = [];
  const { memory, scheduler } = storage;
  const call = { process: 'final', invokedUs: scheduler.nowUs + 1, completedUs: scheduler.nowUs + 1 };
  for (const { name, store, world } of workload.streams) {
    const head = (await memory.heads(store))[world];
    const range = [1 as Sequence, (head + 1) as Sequence] as const;
    const stored = await (world === 'legacy'
      ? memory.readLegacy(store, ...range)
      : memory.readVes(store, ...range));
    const epochs = storage.epochsOf(store, world);
    const events = stored.map((event, index) => ({ ...readEvent(event), epoch: epochs[index]! }));
    const page = { ...call, stream: name, from: 1, limit: head + 1, events, final: true };
    workload.history.push({ type: 'read', ...page });
    for (const [index, event] of stored.entries()) {
      const before = stored[index - 1];
      if (before === undefined || before.sequencedAt <= event.sequencedAt) continue;
      const message = `${name}: sequence ${event.sequence} was sequenced before the one before it`;
      broken.push({ rule: 'time-never-falls', message, records: [] });
    }
  }
  return broken;
}

function judge({ history, verifyReceipt }: Workload): BrokenPromise[] {
  const report = checkHistory(history, { verifyReceipt });
  return report.violations.map(({ rule, message, lines, stream }) => ({
    rule,
    message: `${message} (${stream})`,
    records: lines.map((line) => history[line - 1]!),
  }));
}
