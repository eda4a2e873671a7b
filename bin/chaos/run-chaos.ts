import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryReport } from '../../domain/history/check-history.ts';
import type { PublicKeys } from '../../domain/verify/verify.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { judgeHistoryFile } from '../commands/check-history.command.ts';
import { HistoryFile } from '../driver/recorded-client.ts';
import { type FaultRecord, inflict } from './inflict.ts';
import { faultKinds, planFaults } from './plan-faults.ts';
import { Prober } from './prober.ts';
import { seededRandom } from './seeded-random.ts';
import { type Second, Tally } from './tally.ts';
import { Traffic } from './traffic.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults go on; a round that has each kind once is always finished. */
  readonly durationMs: number;
  readonly historyPath: string;
  /** 6 unless given. */
  readonly stores?: number;
  /** 60 s unless given: far above what is promised, since the machine may be busy. */
  readonly recoveryMsMax?: number;
  readonly onFault?: (fault: FaultRecord) => void;
}

export interface ChaosResult {
  readonly seed: number;
  readonly nodes: number;
  readonly stores: number;
  readonly seconds: readonly Second[];
  readonly faults: readonly ChaosFault[];
  readonly report: HistoryReport;
  /** Streams that did not come back within the bound, as sentences. */
  readonly stuck: readonly string[];
}

/** A fault and what clients felt of it until the next one. */
export interface ChaosFault extends FaultRecord {
  /** The longest time for which a stream acknowledged nothing to any writer. */
  readonly longestSilenceMs: number;
}

const calmMs = 3_000;

/**
 * Uses a cluster from all sides while one fault after another hits it, then reads all streams and judges what its
 * clients saw.
 *
 * @throws Error when a client is refused for good, or can't learn what became of its last events
 */
export async function runChaos(cluster: Cluster, options: ChaosOptions): Promise<ChaosResult> {
  const { seed, durationMs, stores = 6, recoveryMsMax = 60_000, onFault } = options;
  const history = new HistoryFile(options.historyPath);
  const tally = new Tally();
  const random = seededRandom(seed);
  const { adminKey: apiKey, nodes } = cluster;
  const gateways = nodes.map(({ url }) => url);
  const traffic = new Traffic({ gateways, apiKey, stores, history, tally, random });
  const prober = new Prober({ apiKey, stores: traffic.stores, history, random });
  const faults: FaultRecord[] = [];
  let seconds: readonly Second[];
  let keys: PublicKeys;
  try {
    await traffic.start();
    await sleep(calmMs);
    for (const fault of planFaults(seed, nodes.length)) {
      if (tally.nowMs() >= durationMs && faults.length >= faultKinds.length) break;
      const record = await inflict(fault, { cluster, prober, tally, recoveryMsMax });
      faults.push(record);
      onFault?.(record);
      await sleep(fault.calmMs);
    }
    seconds = [...tally.perSecond()]; // What comes while clients settle is not part of the timeline.
    await Promise.all([traffic.settle(), prober.settle()]);
    await traffic.readAll();
    keys = await traffic.sequencerKeys();
  } finally {
    await traffic.close();
    await prober.close();
    await history.close();
  }
  const felt = faults.map((fault, index) => {
    const untilMs = faults[index + 1]?.startMs ?? seconds.length * 1_000;
    return { ...fault, longestSilenceMs: tally.longestSilenceMs(fault.startMs, untilMs) };
  });
  const stuck = faults.flatMap(({ kind, node, recoveries }) =>
    recoveries
      .filter(({ ms }) => ms === null)
      .map(
        ({ after }) =>
          `${kind}${node === null ? '' : ` ${node}`}: not within ${recoveryMsMax} ms after ${after}`,
      ),
  );
  const report = await judgeHistoryFile(options.historyPath, keys);
  return { seed, nodes: nodes.length, stores, seconds, faults: felt, report, stuck };
}
