import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import type { CellFigures, CellPlan } from './load/cell.ts';
import { type LoadProcess, openLoadProcess } from './load/load-process.ts';
import { payloadShapes } from './load/payload-shapes.ts';
import { short, times, whole } from './report/number-text.ts';
import { positiveInteger } from './report/options.ts';
import { textTable } from './report/text-table.ts';
import { describeMachine } from './target/machine.ts';
import { startTarget, type Target } from './target/target.ts';

interface FairnessOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly payload: string;
  readonly quietConnections: number;
  readonly quietBatch: number;
  readonly greedyConnections: number;
  readonly greedyBatch: number;
  readonly greedyStreams: number;
}

const program = new Command('bench:fairness')
  .description(
    'Measures how long a tenant of moderate use waits while another posts at full speed, beside how long it waits alone. ' +
      'The node runs as a process of its own, and so does the load of each tenant.',
  )
  .option('--seconds <seconds>', 'how long each measurement takes', positiveInteger, 5)
  .option('--rounds <count>', 'alone and together, in turns', positiveInteger, 3)
  .addOption(
    new Option('--payload <shape>', 'what the events carry')
      .choices(Object.keys(payloadShapes))
      .default('nested-1k'),
  )
  .option('--quiet-connections <count>', 'of the moderate tenant', positiveInteger, 4)
  .option('--quiet-batch <count>', 'events of each of its requests', positiveInteger, 10)
  .option('--greedy-connections <count>', 'of the other tenant', positiveInteger, 50)
  .option('--greedy-batch <count>', 'events of each of its requests', positiveInteger, 100)
  .option('--greedy-streams <count>', 'over how many stores it spreads them', positiveInteger, 8);

const options = program.parse().opts<FairnessOptions>();
const target = await startTarget(null);
const loads = { quiet: openLoadProcess(), greedy: openLoadProcess() };
try {
  console.log(`\n${renderFairness(options, await measureRounds(options, target, loads))}`);
} finally {
  loads.quiet.close();
  loads.greedy.close();
  await target.stop();
}

interface Round {
  readonly alone: CellFigures;
  readonly beside: CellFigures;
  readonly greedy: CellFigures;
}

async function measureRounds(
  bench: FairnessOptions,
  node: Target,
  { quiet, greedy }: { readonly quiet: LoadProcess; readonly greedy: LoadProcess },
): Promise<Round[]> {
  const common = { url: node.url, payload: bench.payload, signed: null };
  const quietPlan: CellPlan = {
    ...common,
    ...(await makeTenant(node)),
    batch: bench.quietBatch,
    connections: bench.quietConnections,
    streams: 1,
    warmUpMs: 1_000,
    measureMs: bench.seconds * 1_000,
  };
  const greedyPlan: CellPlan = {
    ...common,
    ...(await makeTenant(node)),
    batch: bench.greedyBatch,
    connections: bench.greedyConnections,
    streams: bench.greedyStreams,
    // It begins before the other and ends after it.
    warmUpMs: 500,
    measureMs: (bench.seconds + 1.5) * 1_000,
  };
  const rounds: Round[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    const alone = await quiet.run(quietPlan);
    const [beside, besideGreedy] = await Promise.all([quiet.run(quietPlan), greedy.run(greedyPlan)]);
    rounds.push({ alone, beside, greedy: besideGreedy });
    console.error(
      `round ${round}: P99 ${short(alone.p99Ms)} ms alone, ${short(beside.p99Ms)} ms beside the other`,
    );
  }
  return rounds;
}

/** A tenant with a key of its own: all that the bootstrap key does counts for one tenant. */
async function makeTenant({ url, apiKey }: Target): Promise<{ tenantId: string; apiKey: string }> {
  const tenantId = randomUUID();
  const response = await fetch(`${url}/api/v1/admin/tenants/${tenantId}/api-keys`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${apiKey}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const answer = (await response.json()) as { apiKey?: string };
  if (answer.apiKey === undefined) throw new Error(`no key for the tenant: ${JSON.stringify(answer)}`);
  return { tenantId, apiKey: answer.apiKey };
}

function renderFairness(bench: FairnessOptions, rounds: readonly Round[]): string {
  const { cpu, cores, memoryGb, node, commit } = describeMachine();
  const rows = rounds.map(({ alone, beside, greedy }, index) => [
    String(index + 1),
    `${short(alone.p50Ms)} / ${short(alone.p99Ms)}`,
    `${short(beside.p50Ms)} / ${short(beside.p99Ms)}`,
    times(beside.p99Ms / alone.p99Ms),
    whole(alone.eventsPerSecond),
    whole(beside.eventsPerSecond),
    whole(greedy.eventsPerSecond),
    String(alone.errors + beside.errors + greedy.errors),
    `${beside.pushbacks} / ${greedy.pushbacks}`,
  ]);
  const median = medianOf(rounds.map(({ alone, beside }) => beside.p99Ms / alone.p99Ms));
  return [
    `${cpu}, ${cores} cores, ${memoryGb} GB, Node ${node}, commit ${commit}`,
    `payload ${bench.payload}; quiet: ${bench.quietBatch} events × ${bench.quietConnections} connections; ` +
      `greedy: ${bench.greedyBatch} × ${bench.greedyConnections} over ${bench.greedyStreams} stores; ${bench.seconds} s each`,
    '',
    ...textTable([
      [
        'round',
        'alone P50 / P99 ms',
        'beside P50 / P99 ms',
        'P99',
        'alone events/s',
        'beside events/s',
        'greedy events/s',
        'errors',
        '503s',
      ],
      ...rows,
    ]),
    '',
    `P99 beside the greedy tenant, median of the rounds: ${times(median)} that alone`,
  ].join('\n');
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
