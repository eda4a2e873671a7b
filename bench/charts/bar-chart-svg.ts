import type { BarChart } from '../performance/report.ts';
import { axis } from './axis.ts';
import { legendRow, type Sample } from './legend.ts';
import { colors, drawing, faint, ink, line, niceCeiling, rectangle, text } from './svg.ts';

const width = 900;
const height = 394;
const plot = { left: 84, right: 20, top: 104, bottom: 58 } as const;
const groupGap = 0.22;
const lineHeight = 15;
const characterWidth = 6.6;

/** Groups of upright bars, with a mark across each that has something to reach. */
export function barChartSvg(chart: BarChart): string {
  const { title, says, groups, series, levels, unit } = chart;
  const values = groups.flatMap(({ bars }) => bars.flatMap(({ value, mark }) => [value, mark ?? 0]));
  const most = niceCeiling(
    Math.max(Number.MIN_VALUE, ...[...values, ...levels.map(({ value }) => value)].filter(Number.isFinite)),
  );
  const bottom = height - plot.bottom;
  const y = (value: number): number => bottom - (value / most) * (bottom - plot.top);
  const groupWidth = (width - plot.left - plot.right) / groups.length;
  const barWidth = (groupWidth * (1 - groupGap)) / series.length;
  const parts = [
    text(plot.left / 2, 26, title, 'font-size="16" font-weight="600"'),
    text(plot.left / 2, 46, says, `fill="${faint}"`),
    ...legend(chart),
    ...axis({ left: plot.left, right: width - plot.right, most, y, unit }),
  ];
  groups.forEach(({ name, bars }, group) => {
    const left = plot.left + group * groupWidth;
    const place = `text-anchor="middle" fill="${faint}"`;
    linesOf(name, groupWidth).forEach((part, index) => {
      parts.push(text(left + groupWidth / 2, bottom + 20 + index * lineHeight, part, place));
    });
    bars.forEach(({ value, mark }, index) => {
      const x = left + (groupWidth * groupGap) / 2 + index * barWidth;
      const bar = { x: x + 1, y: y(value), width: barWidth - 2, height: bottom - y(value) };
      parts.push(rectangle(bar, `fill="${colorOf(index)}" fill-opacity="0.85"`));
      if (mark !== null && Number.isFinite(mark)) {
        parts.push(line([x - 1, y(mark)], [x + barWidth + 1, y(mark)], `stroke="${ink}" stroke-width="2"`));
      }
    });
  });
  for (const { value } of levels) {
    const across = `stroke="${levelColor}" stroke-width="1.4" stroke-dasharray="6 4"`;
    parts.push(line([plot.left, y(value)], [width - plot.right, y(value)], across));
  }
  return drawing({ title, width, height }, parts);
}

const levelColor = '#8250df';

function legend({ series, markName, levels }: BarChart): string[] {
  const samples: Sample[] = [];
  if (series.length > 1) {
    series.forEach((name, index) => {
      const color = `fill="${colorOf(index)}" fill-opacity="0.85"`;
      samples.push({ name, draw: (x, y) => rectangle({ x, y: y - 9, width: 11, height: 11 }, color) });
    });
  }
  if (markName !== null) {
    const stroke = `stroke="${ink}" stroke-width="2"`;
    samples.push({ name: markName, draw: (x, y) => line([x, y - 4], [x + 13, y - 4], stroke) });
  }
  for (const { name } of levels) {
    const dashed = `stroke="${levelColor}" stroke-width="1.4" stroke-dasharray="5 3"`;
    samples.push({ name, draw: (x, y) => line([x, y - 4], [x + 14, y - 4], dashed) });
  }
  return legendRow(samples, { left: plot.left / 2, y: 68 });
}

/** The words of a name, on as many lines as its group has room for. */
function linesOf(name: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of name.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length * characterWidth < room) lines[lines.length - 1] = longer.trim();
    else lines.push(word);
  }
  return lines;
}

function colorOf(index: number): string {
  return colors[index % (colors.length - 2)]!;
}
