import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import pg from 'pg';
import { type Cluster, startCluster } from '../bin/cluster/cluster.ts';
import { StreamWriters } from './failover/stream-writers.ts';
import { positiveInteger } from './report/options.ts';

const faults = ['kill', 'pause', 'leave'] as const;
type Fault = (typeof faults)[number];

interface FailoverOptions {
  readonly faults: readonly Fault[];
  readonly times: number;
  readonly streams: number;
  readonly everyMs: number;
}

const recoveryMaxMs = 60_000;
const settleMs = 1_500;

const options = new Command('bench:failover')
  .description(
    "How long streams can't be written to when their owner is killed, paused or leaves; three nodes, a nats-server and a " +
      'Postgres are started for it. What is measured, and how: bench/README.md.',
  )
  .addOption(new Option('--faults <faults...>', 'these only').choices(faults).default(faults))
  .option('--times <count>', 'how often each fault is caused', positiveInteger, 20)
  .option('--streams <count>', 'streams, with a client each', positiveInteger, 200)
  .option('--every-ms <count>', 'the pause between two events of a client', positiveInteger, 250)
  .addHelpText('after', '\nExample:\n  npm run bench:failover -- --faults leave --times 5')
  .parse()
  .opts<FailoverOptions>();
const folder = mkdtempSync(join(tmpdir(), 'sequencer-failover-'));
chmodSync(folder, 0o755); // Postgres does not run as root, so another user must get in.
const cluster = await startCluster({ dataDir: join(folder, 'data'), env: { LOG_LEVEL: 'warn' } });
const database = new pg.Pool({ connectionString: cluster.postgres.url, max: 1 });
try {
  for (const fault of options.faults) {
    const outages: number[] = [];
    let failures = 0;
    for (let run = 0; run < options.times; run++) {
      const result = await measure(cluster, fault, run % cluster.nodes.length);
      outages.push(...result.outages);
      failures += result.failures;
    }
    report(fault, outages, failures);
  }
} finally {
  await database.end();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(
  { nodes, adminKey }: Cluster,
  fault: Fault,
  index: number,
): Promise<{ outages: number[]; failures: number }> {
  const victim = nodes[index]!;
  const others = nodes.filter((node) => node !== victim);
  const writers = new StreamWriters({
    // Clients of a node that is gone know it at once; what is measured is the streams of the others' clients.
    gatewayUrls: (fault === 'leave' ? nodes : others).map(({ url }) => url),
    apiKey: adminKey,
    streams: options.streams,
    everyMs: options.everyMs,
  });
  writers.start();
  await writers.allAcknowledgedSince(performance.now(), recoveryMaxMs);
  await sleep(settleMs);
  const { rows } = await database.query<{ store_id: string }>(
    'select store_id from streams where claimant = $1',
    [victim.name],
  );
  const faultMs = performance.now();
  let over: Promise<void> = Promise.resolve();
  if (fault === 'kill') over = victim.kill();
  else if (fault === 'pause') victim.pause();
  else over = victim.leave();
  await writers.allAcknowledgedSince(faultMs + 50, recoveryMaxMs);
  await over;
  const storeIds = new Set(rows.map(({ store_id }) => store_id));
  const outages = writers.waitsAfter(faultMs, storeIds);
  if (fault === 'pause') victim.resume();
  else await victim.start();
  await sleep(settleMs);
  await writers.stop();
  for (const { outcome, gatewayUrl, atMs } of writers.failures.slice(0, 5)) {
    console.log(
      `  ${(atMs - faultMs).toFixed(0)} ms: ${gatewayUrl}: ${JSON.stringify(outcome).slice(0, 200)}`,
    );
  }
  console.log(
    `  ${fault} ${victim.name}: ${outages.length} streams, longest ${Math.max(...outages).toFixed(0)} ms; ${writers.acknowledged} acknowledged, ${writers.failures.length} refused`,
  );
  return { outages, failures: writers.failures.length };
}

function report(fault: Fault, outages: number[], failures: number): void {
  outages.sort((one, other) => one - other);
  const at = (share: number): string =>
    `${(outages[Math.min(outages.length - 1, Math.floor(outages.length * share))] ?? NaN).toFixed(0)} ms`;
  console.log(
    `${fault}: ${outages.length} streams of ${options.times} runs: P50 ${at(0.5)}, P95 ${at(0.95)}, P99 ${at(0.99)}, longest ${at(1)}; ${failures} answers that were no acknowledgement`,
  );
}
