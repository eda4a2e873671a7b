import { short, times, whole } from '../../report/number-text.ts';
import { textTable } from '../../report/text-table.ts';
import { timesBetter } from '../../charts/target-chart-svg.ts';
import { headlines } from '../headlines.ts';
import type { Figure, PerformanceReport, Section, Target } from '../report.ts';

/** The report as Markdown. `chartFolder` is where its drawings lie, from the page. */
export function renderPage(report: PerformanceReport, chartFolder: string): string {
  const { sections } = report;
  const targets = sections.flatMap((section) => section.targets);
  const parts = [
    `# Performance report of ${report.startedAt.slice(0, 10)}`,
    '<!-- Written by `npm run performance-report`; run it again rather than edit this. -->',
    introduction(report),
    '## In short',
    headlines(report)
      .map((headline) => `- ${headline}`)
      .join('\n'),
    ...failures(sections),
    '## Targets',
    `${targets.filter(({ met }) => met).length} of ${targets.length} targets are met. "Firm" ones have to be; a stretch may be missed. The last column says how many times better than wanted the measurement is.`,
    ...(targets.length === 0 ? [] : [`![Targets](${chartFolder}/targets.svg)`, ...targetTables(targets)]),
    ...sections
      .filter(({ status }) => status === 'measured')
      .map((section) => sectionPage(section, report, chartFolder)),
    '## Every published figure',
    'The ratio says how many times better ours is: more a second, or less time.',
    table([
      ['figure', 'published', 'ours', 'unit', 'ratio'],
      ...sections.flatMap(({ figures }) => figures.flatMap(publishedRow)),
    ]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function introduction(report: PerformanceReport): string {
  const { machine, postgres, mode, seconds } = report;
  const { cpu, cores, memoryGb, system, node, commit } = machine;
  return [
    `Measured by \`npm run performance-report\`${mode === 'full' ? '' : ` -- --${mode}`} in ${whole(seconds / 60)} minutes, on a machine with ${cores} cores (${cpu}) and ${memoryGb} GB, ${system}; Node.js ${node}, Postgres ${postgres}, commit ${commit}.`,
    'Nodes, Postgres, NATS and the load generator share these cores. The published figures are of a machine with four for the database and the server, so ratios decide; the absolute numbers are of this machine on this day.',
    mode === 'full' ? '' : '**This was a short run: it shows where things stand, and proves nothing.**',
    keptSections(report),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function keptSections({ startedAt, sections }: PerformanceReport): string {
  const older = sections.filter(({ measuredAt }) => measuredAt < startedAt);
  if (older.length === 0) return '';
  const named = older.map(
    ({ title, measuredAt }) => `${title} (${measuredAt.slice(0, 16).replace('T', ' ')})`,
  );
  return `Kept from an earlier run, which the commit and the minutes above are not of: ${named.join(', ')}.`;
}

function failures(sections: readonly Section[]): string[] {
  const failed = sections.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return [];
  return [
    '## What could not be measured',
    failed.map(({ title, error }) => `- **${title}**: ${firstLine(error)}`).join('\n'),
  ];
}

function firstLine(text: string | null): string {
  return (text ?? 'no reason given').split('\n', 1)[0]!;
}

const itemTitles: Readonly<Record<number, string>> = {
  1: 'Ingest',
  2: 'No collapse',
  3: 'Service tiers',
  4: 'Signed ingest',
  5: 'Commitments, verification, look-ups and queries',
  6: 'Disk and memory',
  7: 'Cluster',
  8: 'History',
};

function targetTables(targets: readonly Target[]): string[] {
  return Object.entries(itemTitles).flatMap(([item, title]) => {
    const own = targets.filter((target) => target.item === Number(item));
    if (own.length === 0) return [];
    const rows = own.map((target) => [
      target.what,
      `${target.limit} ${number(target.wanted)} ${target.unit}`,
      number(target.measured),
      target.met ? 'met' : target.firm ? '**not met**' : 'not met (stretch)',
      `${timesBetter(target).toPrecision(2)} ×`,
    ]);
    const reasons = own.flatMap(({ what, note }) => (note === null ? [] : [`- ${what}: ${note}`]));
    return [
      `### ${title}`,
      table([['target', 'wanted', 'measured', '', 'ratio'], ...rows]),
      ...(reasons.length === 0 ? [] : [reasons.join('\n')]),
    ];
  });
}

function sectionPage(
  { name, title, notes, tables, charts, measuredAt, mode }: Section,
  report: PerformanceReport,
  chartFolder: string,
): string {
  const shown = [
    `## ${title}`,
    mode === report.mode && measuredAt.slice(0, 10) === report.startedAt.slice(0, 10)
      ? ''
      : `Measured on ${measuredAt.slice(0, 10)} (${mode}).`,
    ...notes,
    ...charts.map((chart) => `![${chart.title}](${chartFolder}/${name}-${chart.name}.svg)`),
    ...tables.flatMap((one) => [`**${one.title}**`, table([one.columns, ...one.rows])]),
  ];
  return shown.filter((part) => part !== '').join('\n\n');
}

function publishedRow({ name, value, unit, better, published }: Figure): string[][] {
  if (published === null) return [];
  const ratio = better === 'higher' ? value / published : published / value;
  return [[`\`${name}\``, number(published), number(value), unit, times(ratio)]];
}

function table(rows: readonly (readonly string[])[]): string {
  return textTable(rows).join('\n');
}

/** With as many digits as say something. */
function number(value: number): string {
  if (Math.abs(value) >= 100) return whole(value);
  return Math.abs(value) < 1 ? value.toPrecision(2) : short(value);
}
