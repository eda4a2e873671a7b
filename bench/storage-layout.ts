import { Command, InvalidArgumentError, Option } from 'commander';
import { findPostgresPrograms } from '../test/support/postgres-programs.ts';
import { startPostgresServer } from '../test/support/postgres-server.ts';
import { positiveInteger } from './report/options.ts';
import { type Layout, layouts } from './storage/layouts.ts';
import { LayoutDatabase } from './storage/layout-database.ts';
import { Table } from './storage/table.ts';

interface LayoutOptions {
  readonly rows: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly layouts: readonly Layout[];
  readonly quick?: true;
}

const options = new Command('bench:storage-layout')
  .description(
    "Compares layouts of the events' table and indexes: appends a second, bytes an event on disk, and the cost of reads. " +
      'Starts a Postgres of its own, with fsync on. Runs are interleaved and each figure is a median, since neighbours on ' +
      "the machine make single runs differ by a third: compare the columns of a row, not rows with last week's. The numbers " +
      'that decided are in docs/adr/0001-storage-layout.md.',
  )
  .option('--rows <count>', 'rows that are there before the second half', positiveInteger, 5_000_000)
  .option('--seconds <count>', 'of one run', positiveInteger, 2)
  .option('--rounds <count>', 'runs of which a figure is the median', positiveInteger, 3)
  .addOption(new Option('--layouts <letters>', 'these only').argParser(layoutsOf).default(layouts, 'A to F'))
  .option('--quick', '100,000 rows, one short round')
  .addHelpText('after', '\nExample:\n  npm run bench:storage-layout -- --layouts BDF --rows 1000000')
  .parse()
  .opts<LayoutOptions>();
const quick = options.quick === true;
const rows = quick ? 100_000 : options.rows;
const seconds = quick ? 0.2 : options.seconds;
const rounds = quick ? 1 : options.rounds;
const chosen = options.layouts;
const workloads = [
  { batchSize: 500, connections: 1, method: 'statement' },
  { batchSize: 500, connections: 4, method: 'statement' },
  { batchSize: 10, connections: 1, method: 'statement' },
  { batchSize: 10, connections: 4, method: 'statement' },
  { batchSize: 500, connections: 1, method: 'copy' },
  { batchSize: 500, connections: 4, method: 'copy' },
] as const;
/** COPY can't write a second table or look a version up, so it has no part in those two layouts. */
const copyable = (layout: Layout): boolean => !/^[DE]/.test(layout.name);

const programs = findPostgresPrograms('embedded');
const server = await startPostgresServer(programs, [
  'shared_buffers=512MB',
  'max_wal_size=8GB',
  'checkpoint_timeout=30min',
]);
try {
  for (const history of [0, rows]) {
    await measureAt(history);
  }
} finally {
  await server.stop();
  programs.remove();
}

async function measureAt(history: number): Promise<void> {
  console.log(`\n## ${history.toLocaleString('en')} rows before\n`);
  const databases = new Map<Layout, LayoutDatabase>();
  for (const layout of chosen) {
    const database = await LayoutDatabase.create(server.url, layout, history);
    databases.set(layout, database);
  }
  const table = new Table(chosen.map((layout) => layout.name));
  for (let round = 0; round < rounds; round += 1) {
    for (const workload of workloads) {
      for (const [layout, database] of databases) {
        if (workload.method === 'copy' && !copyable(layout)) continue;
        const { batchSize, connections, method } = workload;
        const label = `${method}, ${batchSize} × ${connections}`;
        const figures = await database.runAppends({ ...workload, seconds });
        table.add(`${label}: rows/s`, layout.name, figures.rowsPerSecond);
        table.add(`${label}: CPU µs a row in Postgres`, layout.name, figures.cpuMicrosPerRow);
        table.add(`${label}: bytes of WAL a row`, layout.name, figures.walBytesPerRow);
        if (layout.fold !== null && method === 'statement') {
          table.add(`${label}: rows/s with folds`, layout.name, figures.rowsPerSecondWithFolds);
          table.add(`${label}: CPU µs with folds`, layout.name, figures.cpuMicrosPerRowWithFolds);
        }
      }
    }
    for (const [layout, database] of databases) {
      for (const [label, micros] of await database.measureReads()) {
        table.add(`${label}: µs`, layout.name, micros);
      }
    }
  }
  for (const [layout, database] of databases) {
    if (history === 0) {
      for (const [label, bytes] of await database.measureBytes()) table.add(label, layout.name, bytes);
    }
    await database.drop();
  }
  console.log(table.render());
}

function layoutsOf(letters: string): readonly Layout[] {
  const chosen = layouts.filter(({ name }) => letters.includes(name.charAt(0)));
  if (chosen.length < letters.length) throw new InvalidArgumentError('Letters from A to F, each once.');
  return chosen;
}
