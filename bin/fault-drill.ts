import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { Tally } from './chaos/tally.ts';
import { Traffic } from './chaos/traffic.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { type PrometheusServer, startPrometheus } from './driver/prometheus-server.ts';
import { scrapeConfiguration } from './driver/scrape-configuration.ts';
import { type Drill, drills } from './fault-drill/drills.ts';
import { quickenRules } from './fault-drill/quicken-rules.ts';

const program = new Command('fault-drill')
  .description(
    'Starts a cluster under load and a Prometheus with the rules of docker/prometheus/, causes one fault after the other, ' +
      'and waits for the alerts that it must set off. In the copy of the rules that it loads, time runs faster. Exit code 0 ' +
      'when every alert fired and went away again, 1 when not.',
  )
  .option('--factor <number>', 'how much faster', Number, 10);

/** A row of the table that is printed. */
interface Outcome {
  readonly fault: string;
  readonly alert: string;
  readonly firedSecs: number | null;
}

const scrapeMs = 500;
/** Four scrapes, so that one that is late leaves enough for a rate. */
const windowMsMin = 4 * scrapeMs;
const fireMsMax = 90_000;
const calmMsMax = 120_000;
const pollMs = 250;
/** Not the administrator's key: it can't be checked while Postgres is frozen. */
const metricsToken = randomUUID();

const { factor } = program.parse().opts<{ factor: number }>();
const directory = mkdtempSync(join(tmpdir(), 'sequencer-fault-drill-'));
chmodSync(directory, 0o755); // Postgres does not run as root, so another user must get in.
const outcomes = await runDrills();
rmSync(directory, { recursive: true, force: true });
console.log(`\n${table(outcomes)}`);
process.exitCode = outcomes.every(({ firedSecs }) => firedSecs !== null) ? 0 : 1;

async function runDrills(): Promise<Outcome[]> {
  const ruleFiles = ['alerts.yml', 'slo.yml'].map((name) => {
    const text = readFileSync(join(import.meta.dirname, '../docker/prometheus', name), 'utf8');
    const file = join(directory, name);
    writeFileSync(file, quickenRules(text, factor, windowMsMin));
    return file;
  });
  const cluster = await startCluster({
    dataDir: join(directory, 'cluster'),
    env: { COMMITMENT_EVERY_SECS: '2', REQUEST_TIMEOUT_SECS: '5', METRICS_TOKEN: metricsToken },
    onProgress: (step) => console.log(`  ${step}`),
  });
  try {
    const credentials = metricsToken;
    const configuration = scrapeConfiguration({
      nodes: cluster.nodes,
      credentials,
      intervalMs: scrapeMs,
      ruleFiles,
    });
    const prometheus = await startPrometheus({ directory, configuration });
    try {
      return await drillUnderLoad(cluster, prometheus);
    } finally {
      await prometheus.stop();
    }
  } finally {
    await cluster.stop();
  }
}

async function drillUnderLoad(cluster: Cluster, prometheus: PrometheusServer): Promise<Outcome[]> {
  const traffic = new Traffic({
    gateways: cluster.nodes.map(({ url }) => url),
    apiKey: cluster.adminKey,
    stores: 4,
    history: { write: () => undefined },
    tally: new Tally(),
    random: Math.random,
  });
  await traffic.start();
  try {
    const outcomes: Outcome[] = [];
    for (const drill of drills) outcomes.push(...(await perform(drill, cluster, prometheus)));
    return outcomes;
  } finally {
    await traffic.close();
  }
}

/** Waits for calm, so that what fires then is of this fault; causes it; waits for its alerts; ends it. */
async function perform(drill: Drill, cluster: Cluster, prometheus: PrometheusServer): Promise<Outcome[]> {
  await until(
    async () => !(await firing(prometheus)).some((alert) => drill.alerts.includes(alert)),
    calmMsMax,
  );
  console.log(`  ${drill.fault}`);
  const startedMs = performance.now();
  const end = await drill.cause(cluster);
  const firedMs = new Map<string, number>();
  await until(async () => {
    for (const alert of await firing(prometheus)) {
      if (!firedMs.has(alert)) firedMs.set(alert, performance.now() - startedMs);
    }
    return drill.alerts.every((alert) => firedMs.has(alert));
  }, fireMsMax);
  await end();
  return drill.alerts.map((alert) => {
    const ms = firedMs.get(alert);
    const firedSecs = ms === undefined ? null : ms / 1_000;
    console.log(`    ${alert}: ${secondsText(firedSecs)}`);
    return { fault: drill.fault, alert, firedSecs };
  });
}

async function firing(prometheus: PrometheusServer): Promise<string[]> {
  const alerts = await prometheus.alerts();
  return alerts.flatMap(({ state, labels }) =>
    state === 'firing' && labels.alertname !== undefined ? [labels.alertname] : [],
  );
}

async function until(isSo: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await isSo()) && performance.now() < deadlineMs) await sleep(pollMs);
}

function table(rows: readonly Outcome[]): string {
  return [
    `| fault | alert | fired after (rules ${factor} times as fast) |`,
    '| --- | --- | --- |',
    ...rows.map(({ fault, alert, firedSecs }) => `| ${fault} | ${alert} | ${secondsText(firedSecs)} |`),
  ].join('\n');
}

function secondsText(secs: number | null): string {
  return secs === null ? 'did not fire' : `${secs.toFixed(1)} s`;
}
