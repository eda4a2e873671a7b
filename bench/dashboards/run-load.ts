import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tally } from '../../bin/chaos/tally.ts';
import { Traffic } from '../../bin/chaos/traffic.ts';
import { startCluster } from '../../bin/cluster/cluster.ts';
import { type PrometheusServer, startPrometheus } from '../../bin/driver/prometheus-server.ts';
import { scrapeConfiguration } from '../../bin/driver/scrape-configuration.ts';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';

/** The span of a run that charts show, in seconds since 1970. */
export interface Span {
  readonly startSecs: number;
  readonly endSecs: number;
}

const scrapeMs = 1_000;
const stores = 12;
const proofEveryMs = 100;

/**
 * Runs a cluster of three nodes under clients that write to a dozen stores, in both worlds, and ask for proofs, while a
 * Prometheus scrapes it; one node leaves and comes back in the middle. Everything is stopped before this returns.
 *
 * @param look is called while the Prometheus still runs
 */
export async function runLoad(
  seconds: number,
  look: (prometheus: PrometheusServer, span: Span) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sequencer-dashboards-'));
  chmodSync(directory, 0o755); // Postgres does not run as root, so another user must get in.
  const cluster = await startCluster({
    dataDir: join(directory, 'cluster'),
    env: { COMMITMENT_EVERY_EVENTS: '200', COMMITMENT_EVERY_SECS: '5' },
  });
  try {
    const prometheus = await startPrometheus({
      directory,
      configuration: scrapeConfiguration({
        nodes: cluster.nodes,
        credentials: cluster.adminKey,
        intervalMs: scrapeMs,
      }),
    });
    try {
      const traffic = new Traffic({
        gateways: cluster.nodes.map(({ url }) => url),
        apiKey: cluster.adminKey,
        stores,
        history: { write: () => undefined },
        tally: new Tally(),
        random: Math.random,
      });
      const startSecs = Date.now() / 1_000;
      await traffic.start();
      const proving = askForProofs(cluster.url, cluster.adminKey, traffic.stores);
      await sleep(seconds * 500);
      await cluster.nodes[1]!.leave();
      await cluster.nodes[1]!.start();
      await sleep(Math.max(0, (startSecs + seconds) * 1_000 - Date.now()));
      await look(prometheus, { startSecs, endSecs: Date.now() / 1_000 });
      await proving.stop();
      await traffic.settle();
      await traffic.close();
    } finally {
      await prometheus.stop();
    }
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function askForProofs(url: string, apiKey: string, names: Traffic['stores']): { stop(): Promise<void> } {
  const client = new SequencerClient({ url, apiKey, connectionsMax: 4 });
  let isStopping = false;
  const loop = async (): Promise<void> => {
    for (let turn = 0; !isStopping; turn += 1) {
      const { tenantId, storeId } = names[turn % names.length]!;
      const sequence = 1 + (Math.floor(turn / names.length) % 50);
      const path = `/api/v1/ves/proofs/${sequence}/bundle?tenant_id=${tenantId}&store_id=${storeId}`;
      // 404 until a commitment covers it, and broken connections while the node leaves: both belong to the picture.
      await client.send('GET', path).catch(() => undefined);
      await sleep(proofEveryMs);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      isStopping = true;
      await looping;
      client.close();
    },
  };
}
