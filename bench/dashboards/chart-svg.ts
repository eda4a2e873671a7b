import type { Series } from '../../bin/driver/prometheus-server.ts';
import { colors, drawing, faint, fixed, grid, niceCeiling, polyline, text } from '../charts/svg.ts';
import type { Unit } from './definitions.ts';

/** A panel with what Prometheus answered for it. */
export interface Chart {
  readonly title: string;
  readonly says: string;
  readonly unit: Unit;
  readonly lines: readonly { readonly name: string; readonly points: Series['points'] }[];
}

export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  readonly startSecs: number;
  readonly endSecs: number;
  readonly charts: readonly Chart[];
}

const columnWidth = 590;
const margin = { left: 74, right: 20 } as const;
const headHeight = 64;
const plotTop = 48;
const plotHeight = 130;
const chartHeight = 260;
const legendWidth = 180;
const linesMax = 6;
/** Steps are a second apart. */
const gapSecs = 2.5;
const mebibyte = 1_048_576;

/** The panels of a dashboard as line charts, two a row. */
export function pictureSvg({ title, subtitle, startSecs, endSecs, charts }: Picture): string {
  const height = headHeight + Math.ceil(charts.length / 2) * chartHeight;
  const width = 2 * columnWidth + margin.right;
  return drawing({ title, width, height }, [
    text(margin.left / 2, 26, title, 'font-size="17" font-weight="600"'),
    text(margin.left / 2, 46, subtitle, `fill="${faint}"`),
    ...charts.map((chart, index) => {
      const x = (index % 2) * columnWidth;
      const y = headHeight + Math.floor(index / 2) * chartHeight;
      return `<g transform="translate(${x} ${y})">${chartSvg(chart, startSecs, endSecs)}</g>`;
    }),
  ]);
}

function chartSvg(chart: Chart, startSecs: number, endSecs: number): string {
  const lines = chart.lines.slice(0, linesMax);
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value).filter(Number.isFinite));
  const scale = chart.unit === 'bytes' ? mebibyte : 1;
  const most = scale * niceCeiling(Math.max(smallest[chart.unit], ...values) / scale);
  const x = (secs: number): number =>
    margin.left + ((secs - startSecs) / (endSecs - startSecs)) * (columnWidth - margin.left - margin.right);
  const y = (value: number): number => plotTop + plotHeight * (1 - value / most);
  const left = margin.left / 2;
  return [
    text(left, 14, chart.title, 'font-size="13" font-weight="600"'),
    text(left, 30, chart.says, `fill="${faint}" font-size="11"`),
    ...[0, most / 2, most].map(
      (value) =>
        `<line x1="${margin.left}" y1="${fixed(y(value))}" x2="${columnWidth - margin.right}" y2="${fixed(y(value))}" stroke="${grid}"/>` +
        text(
          margin.left - 6,
          y(value) + 4,
          write(value, chart.unit),
          `text-anchor="end" fill="${faint}" font-size="11"`,
        ),
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => {
      const secs = part * (endSecs - startSecs);
      const place = `text-anchor="middle" fill="${faint}" font-size="11"`;
      return text(x(startSecs + secs), plotTop + plotHeight + 16, `${Math.round(secs)} s`, place);
    }),
    ...lines.flatMap(({ points }, index) =>
      runsOf(points).map((run) =>
        polyline(
          run.map(([secs, value]) => [x(secs), y(value)] as const),
          colors[index % colors.length]!,
        ),
      ),
    ),
    ...lines.map(({ name }, index) => {
      const legendX = margin.left + (index % 3) * legendWidth - 20;
      const legendY = plotTop + plotHeight + 34 + Math.floor(index / 3) * 16;
      return (
        `<rect x="${legendX}" y="${legendY - 8}" width="10" height="10" fill="${colors[index % colors.length]}"/>` +
        text(legendX + 15, legendY + 1, name, 'font-size="11"')
      );
    }),
  ].join('');
}

/** The least that the top of an axis stands for, so that noise around 0 does not fill a chart. */
const smallest: Readonly<Record<Unit, number>> = {
  short: 1,
  s: 0.001,
  bytes: mebibyte,
  percentunit: 0.01,
  reqps: 1,
  ops: 1,
  percent: 10,
};

/** Where there was no number for a while, or nobody answered, a line ends and another begins. */
function runsOf(points: Series['points']): Series['points'][] {
  const runs: (readonly [number, number])[][] = [[]];
  let lastSecs = -Infinity;
  for (const point of points.filter(([, value]) => Number.isFinite(value))) {
    if (point[0] - lastSecs > gapSecs) runs.push([]);
    runs.at(-1)!.push(point);
    lastSecs = point[0];
  }
  return runs.filter((run) => run.length > 1);
}

function write(value: number, unit: Unit): string {
  const number = (scaled: number): string => scaled.toLocaleString('en-US', { maximumSignificantDigits: 3 });
  switch (unit) {
    case 's':
      return value > 0 && value < 1 ? `${number(value * 1_000)} ms` : `${number(value)} s`;
    case 'bytes':
      return `${number(value / mebibyte)} MiB`;
    case 'percentunit':
      return `${number(value * 100)} %`;
    case 'percent':
      return `${number(value)} %`;
    case 'reqps':
    case 'ops':
      return `${number(value)} /s`;
    case 'short':
      return number(value);
  }
}
