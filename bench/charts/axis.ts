import { faint, grid, line, text } from './svg.ts';

/** Lines across a chart at quarters of its height, with their values at the left. */
export function axis(options: {
  readonly left: number;
  readonly right: number;
  readonly most: number;
  readonly y: (value: number) => number;
  readonly unit: string;
}): string[] {
  const { left, right, most, y, unit } = options;
  const name = text(left - 42, y(most) - 12, unit, `fill="${faint}" font-size="11"`);
  const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const value = part * most;
    const place = `text-anchor="end" fill="${faint}" font-size="11"`;
    return [
      line([left, y(value)], [right, y(value)], `stroke="${grid}"`),
      text(left - 7, y(value) + 4, axisNumber(value), place),
    ];
  });
  return [name, ...lines];
}

export function axisNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
