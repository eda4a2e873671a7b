import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { measureCopy } from './ingest/copy-ceiling.ts';
import { type BenchReport, type CellFigures, type CopyFigures, renderReport } from './ingest/report.ts';
import { type LoadProcess, openLoadProcess } from './load/load-process.ts';
import { payloadShapes } from './load/payload-shapes.ts';
import { payloadBytes } from './load/request-template.ts';
import { positiveInteger } from './report/options.ts';
import { cpuMicros, describeMachine, peakMegabytes } from './target/machine.ts';
import { postgresVersion } from './target/postgres.ts';
import { measureSizes, startTarget, type Target } from './target/target.ts';

interface BenchOptions {
  readonly quick?: true;
  readonly seconds?: number;
  readonly payload: string;
  readonly batches: readonly number[];
  readonly connections: readonly number[];
  readonly streams: number;
  readonly url?: string;
  readonly key?: string;
  readonly databaseUrl?: string;
  readonly json?: string;
}

const copyConnections = [1, 4];

const program = new Command('bench:ingest')
  .description(
    'Measures appends over HTTP on a node that runs as a process of its own, and beside them binary COPY into the ' +
      'same table on the same Postgres. The load comes from a third process: a closed loop on each connection.',
  )
  .option('--quick', 'one second a cell, for a first look')
  .option('--seconds <seconds>', 'how long each cell is measured; 5 unless --quick', positiveInteger)
  .addOption(
    new Option('--payload <shape>', 'what the events carry')
      .choices(Object.keys(payloadShapes))
      .default('nested-1k'),
  )
  .option('--batches <list>', 'events a request', positives, [1, 10, 50, 100, 500])
  .option('--connections <list>', 'connections at a time', positives, [1, 10, 50, 100])
  .option('--streams <count>', 'over how many streams the connections are spread', positiveInteger, 1)
  .option('--url <url>', 'a node that runs already; without it the bench starts one')
  .option('--key <key>', 'an API key that may write; needed with --url')
  .option('--database-url <url>', "the node's Postgres, an empty database; without it the bench starts one")
  .option('--json <file>', 'also write the report as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:ingest\n  npm run bench:ingest -- --quick --payload small-150 --streams 4' +
      '\n  npm run bench:ingest -- --batches 500 --connections 10,100 --seconds 20',
  );

const options = program.parse().opts<BenchOptions>();
if (options.url !== undefined && options.key === undefined) program.error('--url also needs --key');
await runBench(options);

async function runBench(bench: BenchOptions): Promise<void> {
  const target = await findTarget(bench);
  const load = openLoadProcess();
  try {
    const report = await measure(bench, target, load);
    console.log(`\n${renderReport(report)}`);
    if (bench.json !== undefined) writeFileSync(bench.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    load.close();
    await target.stop();
  }
}

async function findTarget({ url, key, databaseUrl }: BenchOptions): Promise<Target> {
  if (url === undefined || key === undefined) return startTarget(databaseUrl ?? null);
  const stop = (): Promise<void> => Promise.resolve();
  return { url, apiKey: key, pid: null, databaseUrl: databaseUrl ?? null, stop };
}

async function measure(bench: BenchOptions, target: Target, load: LoadProcess): Promise<BenchReport> {
  const seconds = bench.seconds ?? (bench.quick === true ? 1 : 5);
  const copyBefore = await measureCopies(bench, target, seconds, 'before');
  const cells: CellFigures[] = [];
  const tenantId = randomUUID();
  for (const batch of bench.batches) {
    for (const connections of bench.connections) {
      const { url, apiKey } = target;
      const cpuBefore = target.pid === null ? null : cpuMicros(target.pid);
      const figures = await load.run({
        ...{
          url,
          apiKey,
          tenantId,
          payload: bench.payload,
          batch,
          connections,
          streams: bench.streams,
          signed: null,
        },
        ...{ warmUpMs: Math.min(seconds * 500, 1_000), measureMs: seconds * 1_000 },
      });
      const cpuAfter = target.pid === null ? null : cpuMicros(target.pid);
      const nodeCpuMicrosPerEvent =
        cpuBefore === null || cpuAfter === null
          ? null
          : (cpuAfter - cpuBefore) / Math.max(figures.eventsInAll, 1);
      cells.push({ ...figures, nodeCpuMicrosPerEvent });
      console.error(`${batch} × ${connections}: ${Math.round(figures.eventsPerSecond)} events/s`);
    }
  }
  const nodeMegabytesMax = target.pid === null ? null : peakMegabytes(target.pid);
  const sizes = target.databaseUrl === null ? null : await measureSizes(target.databaseUrl);
  const copyAfter = await measureCopies(bench, target, seconds, 'after');
  return {
    workload: describeWorkload(bench),
    machine: describeMachine(),
    postgres: target.databaseUrl === null ? null : await postgresVersion(target.databaseUrl),
    secondsPerCell: seconds,
    cells,
    copy: [...copyBefore, ...copyAfter],
    sizes,
    nodeMegabytesMax,
  };
}

function describeWorkload({ payload, streams }: BenchOptions): string {
  const place = streams === 1 ? 'one stream' : `${streams} streams`;
  return `ingest over HTTP, payload ${payload} (${payloadBytes(payload)} bytes), ${place} a cell`;
}

async function measureCopies(
  { payload }: BenchOptions,
  { databaseUrl }: Target,
  seconds: number,
  when: CopyFigures['when'],
): Promise<CopyFigures[]> {
  if (databaseUrl === null) return [];
  const figures: CopyFigures[] = [];
  for (const connections of copyConnections) {
    const plan = { databaseUrl, payload, connections, measureMs: seconds * 1_000 };
    figures.push({ when, connections, rowsPerSecond: await measureCopy(plan) });
  }
  return figures;
}

function positives(text: string): number[] {
  return text.split(',').map(positiveInteger);
}
