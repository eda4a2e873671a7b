import type { FlameChart, FlameFrame } from '../performance/report.ts';
import { drawing, escape, faint, rectangle, text } from './svg.ts';

const width = 1_200;
const margin = 12;
const headHeight = 74;
const rowHeight = 17;
const depthMax = 46;
/** Narrower frames say nothing. */
const widthMin = 0.6;
const characterWidth = 5.6;

const fills = { project: '#f0883e', package: '#79b8ff', runtime: '#c8d1da', idle: '#eef1f4' } as const;
const originNames = {
  project: 'the sequencer',
  package: 'packages',
  runtime: 'Node.js and V8',
  idle: 'idle',
} as const;

/** A flame graph that stands on its root: callers below, what they call above. A frame's tooltip has its share. */
export function flameChartSvg({ title, says, root }: FlameChart): string {
  const depth = Math.min(depthMax, depthOf(root));
  const height = headHeight + depth * rowHeight + margin;
  const scale = (width - 2 * margin) / Math.max(root.micros, 1);
  const parts = [
    text(margin, 26, title, 'font-size="16" font-weight="600"'),
    text(margin, 46, says, `fill="${faint}"`),
  ];
  Object.entries(originNames).forEach(([origin, name], index) => {
    const x = margin + index * 130;
    parts.push(
      rectangle({ x, y: 55, width: 11, height: 11 }, `fill="${fills[origin as keyof typeof fills]}"`),
      text(x + 17, 64, name, 'font-size="11"'),
    );
  });
  const draw = (frame: FlameFrame, x: number, level: number): void => {
    const frameWidth = frame.micros * scale;
    if (frameWidth < widthMin || level >= depth) return;
    const y = height - margin - (level + 1) * rowHeight;
    const share = `${((100 * frame.micros) / root.micros).toFixed(1)} %`;
    const room = Math.floor((frameWidth - 6) / characterWidth);
    const name = frame.name.length <= room ? frame.name : room < 4 ? '' : `${frame.name.slice(0, room - 1)}…`;
    parts.push(
      `<g><title>${escape(`${frame.name}: ${share}`)}</title>` +
        rectangle(
          { x, y, width: frameWidth, height: rowHeight - 1 },
          `fill="${fills[frame.origin]}" rx="1"`,
        ) +
        (name === '' ? '' : text(x + 3, y + 12, name, 'font-size="10"')) +
        '</g>',
    );
    let left = x;
    for (const call of frame.calls) {
      draw(call, left, level + 1);
      left += call.micros * scale;
    }
  };
  draw(root, margin, 0);
  return drawing({ title, width, height }, parts);
}

function depthOf({ calls }: FlameFrame): number {
  return 1 + Math.max(0, ...calls.map(depthOf));
}
