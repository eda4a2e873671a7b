import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { headlines } from './performance/headlines.ts';
import { parts } from './performance/parts.ts';
import { Progress } from './performance/progress.ts';
import { readReport } from './performance/read-report.ts';
import type { Mode, PerformanceReport, Section } from './performance/report.ts';
import { runParts } from './performance/run-parts.ts';
import { updateReadme } from './performance/update-readme.ts';
import { writeReport } from './performance/write-report.ts';
import { describeMachine } from './target/machine.ts';
import { openScratchPostgres, postgresVersion } from './target/postgres.ts';

interface ReportOptions {
  readonly quick?: true;
  readonly tiny?: true;
  readonly only?: readonly string[];
  readonly keep?: PerformanceReport;
  readonly directory: string;
  readonly updateReadme?: true;
}

const readme = join(import.meta.dirname, '../README.md');
const names = parts.map(({ name }) => name);
const program = new Command('performance-report')
  .description(
    'Measures everything that the sequencer promises of its speed, beside the published figures of the reference, on a ' +
      'Postgres, a NATS server and nodes of its own. Writes performance-report-YYYY-MM-DD.json, a page of that name and ' +
      'its drawings. Takes about 20 minutes, in which nothing else should run on the machine.',
  )
  .option('--quick', 'less than 3 minutes, for a first look')
  .addOption(new Option('--tiny', 'seconds, to see that it works').hideHelp())
  .addOption(new Option('--only <parts...>', 'these parts').choices(names))
  .addOption(
    new Option(
      '--keep <file>',
      'an earlier report (JSON), of which the parts that are not measured now are kept',
    ).argParser(readEarlier),
  )
  .option('--directory <path>', 'where the report goes', join(import.meta.dirname, '../docs'))
  .option('--update-readme', 'puts the headlines into README.md')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run performance-report\n  npm run performance-report -- --quick' +
      '\n  npm run performance-report -- --only history --keep docs/performance-report-2026-01-31.json',
  );

await run(program.parse().opts<ReportOptions>());

async function run(options: ReportOptions): Promise<void> {
  const mode: Mode = options.tiny === true ? 'tiny' : options.quick === true ? 'quick' : 'full';
  const chosen = parts.filter(({ name }) => options.only?.includes(name) ?? true);
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  const progress = new Progress(chosen);
  const postgres = await openScratchPostgres();
  try {
    const measured = await runParts(chosen, {
      mode,
      postgres,
      onStep: (part, step) => progress.step(part, step),
      onDone: (part, section) => progress.finished(part, section),
    });
    const report: PerformanceReport = {
      format: 1,
      mode,
      startedAt,
      seconds: (performance.now() - startMs) / 1_000,
      machine: describeMachine(),
      postgres: await postgresVersion(postgres.url),
      sections: withEarlier(measured, options.keep?.sections ?? []),
    };
    const written = writeReport(options.directory, report);
    progress.stop();
    if (options.updateReadme === true) updateReadme(readme, report, written.page);
    console.log([...headlines(report), '', written.page, written.json].join('\n'));
    if (measured.some(({ status }) => status === 'failed')) process.exitCode = 1;
  } finally {
    progress.stop();
    await postgres.stop();
  }
}

/** What was measured now takes the place of what was measured before, unless it failed. */
function withEarlier(measured: readonly Section[], earlier: readonly Section[]): Section[] {
  return names.flatMap((name) => {
    const now = measured.find((section) => section.name === name);
    const before = earlier.find((section) => section.name === name && section.status === 'measured');
    const section = now?.status === 'measured' ? now : (before ?? now);
    return section === undefined ? [] : [section];
  });
}

function readEarlier(file: string): PerformanceReport {
  try {
    return readReport(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
