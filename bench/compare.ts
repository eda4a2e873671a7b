import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { compareReports, renderComparison } from './performance/compare.ts';
import { readReport } from './performance/read-report.ts';
import type { PerformanceReport } from './performance/report.ts';

const docs = join(import.meta.dirname, '../docs');
const program: Command = new Command('bench')
  .description('Says what changed from an earlier performance report to a later one, figure by figure.')
  .requiredOption('--compare <file>', 'the earlier report (JSON)')
  .option('--with <file>', 'the later one (JSON); the newest in docs/ unless given')
  .addHelpText('after', '\nExample:\n  npm run bench -- --compare docs/performance-report-2026-01-31.json');

const options = program.parse().opts<{ readonly compare: string; readonly with?: string }>();
const later = options.with ?? newestReport();
console.log(renderComparison(compareReports(read(options.compare), read(later))));

function newestReport(): string {
  const newest = readdirSync(docs)
    .filter((name) => /^performance-report-.*\.json$/.test(name))
    .sort()
    .at(-1);
  if (newest === undefined) {
    program.error('docs/ has no report: run "npm run performance-report", or name one by --with');
  }
  return join(docs, newest);
}

function read(file: string): PerformanceReport {
  try {
    return readReport(readFileSync(file, 'utf8'));
  } catch (error) {
    return program.error(`${file}: ${(error as Error).message}`);
  }
}
