import type { LineChart } from '../performance/report.ts';
import { axis, axisNumber } from './axis.ts';
import { legendRow } from './legend.ts';
import { colors, drawing, faint, grid, line, niceCeiling, polyline, rectangle, text } from './svg.ts';

const width = 900;
const height = 360;
const plot = { left: 84, right: 30, top: 104, bottom: 48 } as const;

/** Lines over a logarithmic horizontal axis. */
export function lineChartSvg({ title, says, lines, unit, unitX }: LineChart): string {
  const points = lines.flatMap((one) => one.points).filter(([x]) => x > 0);
  const [least, farthest] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(farthest)));
  const most = niceCeiling(Math.max(Number.MIN_VALUE, ...points.map(([, y]) => y)));
  const bottom = height - plot.bottom;
  const x = (value: number): number =>
    plot.left + ((Math.log10(value) - from) / (to - from)) * (width - plot.left - plot.right);
  const y = (value: number): number => bottom - (value / most) * (bottom - plot.top);
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  return drawing({ title, width, height }, [
    text(plot.left / 2, 26, title, 'font-size="16" font-weight="600"'),
    text(plot.left / 2, 46, says, `fill="${faint}"`),
    ...axis({ left: plot.left, right: width - plot.right, most, y, unit }),
    ...powers.flatMap((power) => [
      line([x(power), plot.top], [x(power), bottom], `stroke="${grid}"`),
      text(
        x(power),
        bottom + 18,
        `${axisNumber(power)} ${unitX}`,
        `text-anchor="middle" fill="${faint}" font-size="11"`,
      ),
    ]),
    ...lines.map(({ points: own }, index) =>
      polyline(
        own.filter(([at]) => at > 0).map(([at, value]) => [x(at), y(value)] as const),
        colorOf(index),
      ),
    ),
    ...legendRow(
      lines.map(({ name }, index) => ({
        name,
        draw: (left, base) =>
          rectangle({ x: left, y: base - 9, width: 11, height: 11 }, `fill="${colorOf(index)}"`),
      })),
      { left: plot.left / 2, y: 68 },
    ),
  ]);
}

function colorOf(index: number): string {
  return colors[index % colors.length]!;
}
