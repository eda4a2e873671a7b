import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { barChartSvg } from '../charts/bar-chart-svg.ts';
import { flameChartSvg } from '../charts/flame-chart-svg.ts';
import { lineChartSvg } from '../charts/line-chart-svg.ts';
import { targetChartSvg } from '../charts/target-chart-svg.ts';
import { renderPage } from './page/page.ts';
import type { Chart, PerformanceReport } from './report.ts';

export interface WrittenReport {
  readonly json: string;
  readonly page: string;
}

/** Writes `performance-report-YYYY-MM-DD.json`, the page of that name, and its drawings in a folder of that name. */
export function writeReport(directory: string, report: PerformanceReport): WrittenReport {
  const path = join(directory, `performance-report-${report.startedAt.slice(0, 10)}`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  const targets = report.sections.flatMap((section) => section.targets).sort((a, b) => a.item - b.item);
  const draw = (name: string, svg: string): void => writeFileSync(join(path, `${name}.svg`), svg);
  if (targets.length > 0) draw('targets', targetChartSvg('Measured beside what is to be reached', targets));
  for (const { name, charts } of report.sections) {
    for (const chart of charts) draw(`${name}-${chart.name}`, chartSvg(chart));
  }
  const written = { json: `${path}.json`, page: `${path}.md` };
  writeFileSync(written.json, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(written.page, renderPage(report, basename(path)));
  return written;
}

function chartSvg(chart: Chart): string {
  switch (chart.kind) {
    case 'bars':
      return barChartSvg(chart);
    case 'lines':
      return lineChartSvg(chart);
    case 'flame':
      return flameChartSvg(chart);
  }
}
