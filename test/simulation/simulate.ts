import { Command, InvalidArgumentError, Option } from 'commander';
import { describeFailure } from './describe-failure.ts';
import { type Sabotage, sabotages } from './sabotaged-event-log.ts';
import { simulate } from './simulation.ts';

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly sabotage?: Sabotage;
  readonly verbose?: true;
}

/** `npm run simulate`: runs simulations with one seed after the other, and stops at the first that fails. */
const program = new Command('simulate')
  .description('run a simulated cluster with faults, and judge what its clients saw (docs/simulation.md)')
  .option('--seed <number>', 'the first seed', integer, 1)
  .option('--runs <count>', 'how many seeds', integer, 100)
  .addOption(new Option('--sabotage <guard>', 'run without this guard').choices(sabotages))
  .option('--verbose', 'print every step')
  .action(async (options: Options) => {
    process.exitCode = (await run(options)) ? 0 : 1;
  });
await program.parseAsync();

async function run({ seed: first, runs, sabotage, verbose }: Options): Promise<boolean> {
  const startedMs = performance.now();
  const tally = new Map<string, number>();
  let steps = 0;
  let traceHash = 0;
  for (let seed = first; seed < first + runs; seed++) {
    const report = await simulate({
      seed,
      sabotage: sabotage ?? null,
      ...(verbose === true && { onTrace: (line) => console.log(line) }),
    });
    if (report.broken.length > 0) {
      console.error(describeFailure(report, sabotage));
      return false;
    }
    steps += report.steps;
    traceHash ^= report.traceHash;
    for (const [what, count] of report.tally) tally.set(what, (tally.get(what) ?? 0) + count);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(`seeds ${first} to ${first + runs - 1} hold: ${steps} steps in ${seconds.toFixed(1)} s`);
  for (const [what, count] of [...tally].sort()) console.log(`  ${String(count).padStart(8)}  ${what}`);
  console.log(`trace ${(traceHash >>> 0).toString(16).padStart(8, '0')}`);
  return true;
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('it must be a whole number.');
  return value;
}
