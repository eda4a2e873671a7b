import type { FaultRecord } from './inflict.ts';
import type { FaultKind } from './plan-faults.ts';
import { recoveryTimes, secondsText } from './recovery-times.ts';
import type { ChaosResult } from './run-chaos.ts';
import type { Second } from './tally.ts';
import { nameOf } from './timeline-text.ts';

const width = 1_200;
const left = 64;
const right = 24;
const titleHeight = 56;
const labelHeight = 108;
const ratePlot = { top: titleHeight + labelHeight, height: 220 } as const;
const errorPlot = { top: ratePlot.top + ratePlot.height + 44, height: 90 } as const;
const tableTop = errorPlot.top + errorPlot.height + 76;
const rowHeight = 20;

const ink = '#1f2328';
const faint = '#57606a';
const grid = '#d8dee4';
const eventsColor = '#0969da';
const faultColors: Readonly<Record<FaultKind, string>> = {
  kill: '#cf222e',
  pause: '#9a6700',
  'restart NATS': '#8250df',
  'crash Postgres': '#116329',
  'rolling restart': '#57606a',
};
const errors = [
  { field: 'pushbacks', color: '#bf8700', text: '503, try again' },
  { field: 'unknown', color: '#cf222e', text: 'no answer' },
  { field: 'unreached', color: '#6e7781', text: 'connection refused' },
] as const satisfies readonly { field: keyof Second; color: string; text: string }[];

/** The run as a picture: events and errors per second over time, with a labelled band for each fault. */
export function timelineSvg(result: ChaosResult): string {
  const { seconds, faults, seed, nodes, stores, report } = result;
  const times = recoveryTimes(faults);
  const height = tableTop + (times.length + 1) * rowHeight + 20;
  const x = (ms: number): number => left + (ms / (seconds.length * 1_000)) * (width - left - right);
  const verdict =
    report.holds && result.stuck.length === 0
      ? 'nothing acknowledged was lost, doubled or renumbered'
      : `${report.violationCount} contradictions`;
  const subtitle =
    `${nodes} nodes, ${stores} stores, seed ${seed}: ${report.counts.eventsAccepted.toLocaleString('en-US')} events acknowledged, ` +
    `${faults.length} faults, ${verdict}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}" role="img">`,
    `<title>Faults and what clients saw</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(left, 24, 'Faults and what clients saw', 'font-size="17" font-weight="600"'),
    text(left, 44, subtitle, `fill="${faint}"`),
    ...faults.map((fault) => band(fault, x)),
    ...ratePlotOf(seconds, x),
    ...errorPlotOf(seconds, x),
    ...timeAxis(seconds.length, x),
    ...legend(),
    ...table(times),
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function band(fault: FaultRecord, x: Scale): string {
  const color = faultColors[fault.kind];
  const from = x(fault.startMs);
  const to = Math.max(x(fault.endMs), from + 2);
  const middle = (from + to) / 2 + 4;
  const bottom = errorPlot.top + errorPlot.height;
  return [
    `<rect x="${fixed(from)}" y="${ratePlot.top}" width="${fixed(to - from)}" height="${bottom - ratePlot.top}" fill="${color}" opacity="0.14"/>`,
    `<line x1="${fixed(from)}" y1="${ratePlot.top - 4}" x2="${fixed(from)}" y2="${bottom}" stroke="${color}" stroke-width="1"/>`,
    `<text transform="translate(${fixed(middle)} ${ratePlot.top - 8}) rotate(-90)" font-size="11" fill="${color}">${escape(nameOf(fault))}</text>`,
  ].join('');
}

function ratePlotOf(seconds: readonly Second[], x: Scale): string[] {
  const most = niceCeiling(Math.max(10, ...seconds.map(({ events }) => events)));
  const y = (value: number): number => ratePlot.top + ratePlot.height * (1 - value / most);
  const points = seconds.map(
    ({ events }, second) => `${fixed(x((second + 0.5) * 1_000))},${fixed(y(events))}`,
  );
  const base = fixed(y(0));
  const area = `${fixed(x(500))},${base} ${points.join(' ')} ${fixed(x((seconds.length - 0.5) * 1_000))},${base}`;
  return [
    ...gridLines(most, y),
    axisTitle(ratePlot, 'events/s'),
    `<polygon points="${area}" fill="${eventsColor}" opacity="0.12"/>`,
    `<polyline points="${points.join(' ')}" fill="none" stroke="${eventsColor}" stroke-width="1.5" stroke-linejoin="round"/>`,
  ];
}

function errorPlotOf(seconds: readonly Second[], x: Scale): string[] {
  const sum = (second: Second): number => errors.reduce((total, { field }) => total + second[field], 0);
  const most = niceCeiling(Math.max(10, ...seconds.map(sum)));
  const y = (value: number): number => errorPlot.top + errorPlot.height * (1 - value / most);
  const barWidth = Math.max(0.5, x(1_000) - x(0) - 0.5);
  const bars = seconds.flatMap((second, index) => {
    let below = 0;
    return errors.flatMap(({ field, color }) => {
      if (second[field] === 0) return [];
      const top = y(below + second[field]);
      const bar = `<rect x="${fixed(x(index * 1_000))}" y="${fixed(top)}" width="${fixed(barWidth)}" height="${fixed(y(below) - top)}" fill="${color}"/>`;
      below += second[field];
      return [bar];
    });
  });
  return [...gridLines(most, y), axisTitle(errorPlot, 'errors/s'), ...bars];
}

function gridLines(most: number, y: Scale): string[] {
  return [0, most / 2, most].flatMap((value) => [
    `<line x1="${left}" y1="${fixed(y(value))}" x2="${width - right}" y2="${fixed(y(value))}" stroke="${grid}"/>`,
    text(left - 8, y(value) + 4, value.toLocaleString('en-US'), `text-anchor="end" fill="${faint}"`),
  ]);
}

function axisTitle(
  { top, height }: { readonly top: number; readonly height: number },
  title: string,
): string {
  return `<text transform="translate(16 ${top + height / 2}) rotate(-90)" text-anchor="middle" fill="${faint}">${title}</text>`;
}

const timeSteps = [5, 10, 15, 30, 60, 120, 300, 600];

function timeAxis(seconds: number, x: Scale): string[] {
  const step = timeSteps.find((candidate) => seconds / candidate <= 14) ?? 1_200;
  const y = errorPlot.top + errorPlot.height;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) =>
    text(x(index * step * 1_000), y + 18, `${index * step} s`, `text-anchor="middle" fill="${faint}"`),
  );
}

function legend(): string[] {
  const y = errorPlot.top + errorPlot.height + 42;
  const entries = [{ color: eventsColor, text: 'events acknowledged' }, ...errors];
  return entries.flatMap((entry, index) => {
    const x = left + index * 170;
    return [
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${entry.color}"/>`,
      text(x + 18, y, entry.text, ''),
    ];
  });
}

function table(times: ReturnType<typeof recoveryTimes>): string[] {
  const columns = [left, left + 330, left + 410, left + 490] as const;
  const row = (index: number, cells: readonly string[], style: string): string[] =>
    cells.map((cell, column) =>
      text(
        columns[column]!,
        tableTop + index * rowHeight,
        cell,
        `${column === 0 ? '' : 'text-anchor="end" '}${style}`,
      ),
    );
  return [
    ...row(0, ['Until every stream accepts again, from …', 'times', 'P50', 'P99'], 'font-weight="600"'),
    ...times.flatMap(({ after, count, p50Ms, p99Ms }, index) =>
      row(index + 1, [after, String(count), secondsText(p50Ms), secondsText(p99Ms)], ''),
    ),
  ];
}

/** The next number above that reads well, and whose half does. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escape(content)}</text>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
