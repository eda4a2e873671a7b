import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { headlines } from './headlines.ts';
import type { PerformanceReport } from './report.ts';

const begin = '<!-- headlines of the performance report -->';
const end = '<!-- end of the headlines -->';

/**
 * Puts the headlines of a report between two marks of a README, with a link to its page in `docs/`.
 * @throws Error when the marks are not there
 */
export function updateReadme(file: string, report: PerformanceReport, page: string): void {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no place for headlines: ${begin} … ${end}`);
  const { machine, startedAt } = report;
  const lines = [
    ...headlines(report).map((headline) => `- ${headline}`),
    '',
    `Measured on ${startedAt.slice(0, 10)} with ${machine.cores} cores for everything (${machine.cpu}): [the report](docs/${basename(page)}).`,
  ];
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${lines.join('\n')}\n\n${text.slice(to)}`);
}
