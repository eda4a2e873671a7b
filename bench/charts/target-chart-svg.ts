import type { Target } from '../performance/report.ts';
import { colors, drawing, faint, grid, ink, line, rectangle, text } from './svg.ts';

const width = 900;
const rowHeight = 19;
const plot = { left: 480, right: 70, top: 74, bottom: 26 } as const;
/** How far a bar goes to either side: beyond it the number says the rest. */
const octaves = 3;

/** How far each target was surpassed or missed: bars to the right are met, those to the left are not. */
export function targetChartSvg(title: string, targets: readonly Target[]): string {
  const height = plot.top + targets.length * rowHeight + plot.bottom;
  const middle = plot.left + (width - plot.left - plot.right) / 2;
  const octave = (width - plot.left - plot.right) / (2 * octaves);
  const place = `text-anchor="middle" fill="${faint}" font-size="11"`;
  const scale = Array.from({ length: 2 * octaves + 1 }, (_, index) => index - octaves);
  return drawing({ title, width, height }, [
    text(24, 26, title, 'font-size="16" font-weight="600"'),
    text(
      24,
      46,
      'how many times better than what is to be reached; a ring marks a stretch',
      `fill="${faint}"`,
    ),
    ...scale.flatMap((power) => {
      const x = middle + power * octave;
      const name = power < 0 ? `1/${2 ** -power}` : `${2 ** power} ×`;
      const stroke = power === 0 ? ink : grid;
      return [
        line([x, plot.top - 6], [x, height - plot.bottom], `stroke="${stroke}"`),
        text(x, plot.top - 12, name, place),
      ];
    }),
    ...targets.flatMap((target, index) => {
      const y = plot.top + index * rowHeight;
      const ratio = timesBetter(target);
      const reach = Math.max(-octaves, Math.min(octaves, Math.log2(ratio))) * octave;
      const bar = {
        x: Math.min(middle, middle + reach),
        y: y + 3,
        width: Math.max(1, Math.abs(reach)),
        height: rowHeight - 6,
      };
      const color = target.met ? colors[2] : target.firm ? colors[1] : colors[3];
      return [
        text(plot.left - 26, y + 13, shorten(target.what), 'text-anchor="end" font-size="11"'),
        target.firm
          ? ''
          : `<circle cx="${plot.left - 15}" cy="${y + 9}" r="4" fill="none" stroke="${faint}"/>`,
        rectangle(bar, `fill="${color}" fill-opacity="0.85"`),
        text(width - plot.right + 10, y + 13, `${ratio.toPrecision(2)} ×`, 'font-size="11"'),
      ];
    }),
  ]);
}

/** Above 1 when it was surpassed. */
export function timesBetter({ limit, wanted, measured }: Target): number {
  const ratio = limit === 'at least' ? measured / wanted : wanted / Math.max(measured, wanted / 100);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : 0.01;
}

function shorten(what: string): string {
  return what.length > 78 ? `${what.slice(0, 76)} …` : what;
}
