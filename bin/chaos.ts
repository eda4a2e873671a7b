import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type ChaosResult, runChaos } from './chaos/run-chaos.ts';
import { timelineSvg } from './chaos/timeline-svg.ts';
import { nameOf, timelineText } from './chaos/timeline-text.ts';
import { startCluster } from './cluster/cluster.ts';

interface ChaosCommandOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly out?: string;
}

const program = new Command('chaos')
  .description(
    'Starts a cluster of three nodes, lets clients use it, and kills, pauses and restarts nodes, NATS and Postgres; ' +
      'then judges what the clients saw. Exit code 0 when nothing acknowledged was lost, doubled or renumbered and ' +
      'every stream came back, 1 when not: then the history and the logs are kept.',
  )
  .option('--minutes <number>', 'how long faults go on; each kind comes at least once', positive, 2)
  .option(
    '--seed <number>',
    'which faults come, in which order; times differ from run to run',
    wholeNumber,
    1,
  )
  .option(
    '--out <directory>',
    'where timeline.txt and timeline.svg go; a new temporary directory unless given',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  npm run chaos\n  npm run chaos -- --minutes 10 --seed 7 --out /tmp/chaos',
  );

process.exitCode = await run(program.parse().opts<ChaosCommandOptions>()).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function run({ minutes, seed, out }: ChaosCommandOptions): Promise<number> {
  const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'sequencer-chaos-')) : resolve(out);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755); // Postgres does not run as root, so another user must get in.
  console.log(`Chaos for ${minutes} minutes with seed ${seed}; files in ${folder}`);
  const result = await hurtCluster(folder, minutes, seed);
  const text = timelineText(result);
  console.log(`\n${text}`);
  writeFileSync(join(folder, 'timeline.txt'), `${text}\n`);
  writeFileSync(join(folder, 'timeline.svg'), timelineSvg(result));
  const isGood = result.report.holds && result.stuck.length === 0;
  // What nobody will look at is hundreds of megabytes after a long run.
  if (isGood)
    for (const name of ['cluster', 'history.jsonl']) rmSync(join(folder, name), { recursive: true });
  console.log(`The timeline${isGood ? ' is' : ', the history and the logs are'} in ${folder}`);
  return isGood ? 0 : 1;
}

async function hurtCluster(folder: string, minutes: number, seed: number): Promise<ChaosResult> {
  const cluster = await startCluster({
    dataDir: join(folder, 'cluster'),
    onProgress: (step) => console.log(`  ${step}`),
  });
  const onSignal = (): void => void cluster.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    return await runChaos(cluster, {
      seed,
      durationMs: minutes * 60_000,
      historyPath: join(folder, 'history.jsonl'),
      onFault: (fault) => console.log(`  ${Math.round(fault.startMs / 1_000)} s: ${nameOf(fault)}`),
    });
  } finally {
    await cluster.stop();
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}
