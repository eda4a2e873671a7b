/** What all drawings share. */
export const ink = '#1f2328';
export const faint = '#57606a';
export const grid = '#d8dee4';
export const colors = ['#0969da', '#cf222e', '#116329', '#9a6700', '#8250df', '#57606a'] as const;

/** A drawing on white, with a title for those who can't see it. */
export function drawing(
  { title, width, height }: { readonly title: string; readonly width: number; readonly height: number },
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escape(content)}</text>`;
}

export function rectangle(
  { x, y, width, height }: Readonly<Record<'x' | 'y' | 'width' | 'height', number>>,
  attributes: string,
): string {
  return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" ${attributes}/>`;
}

export function line(
  from: readonly [number, number],
  to: readonly [number, number],
  attributes: string,
): string {
  const [x1, y1, x2, y2] = [...from, ...to].map(fixed);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${attributes}/>`;
}

export function polyline(points: readonly (readonly [number, number])[], color: string): string {
  const places = points.map(([x, y]) => `${fixed(x)},${fixed(y)}`).join(' ');
  return `<polyline points="${places}" fill="none" stroke="${color}" stroke-width="1.6" stroke-linejoin="round"/>`;
}

/** The next number above that reads well, and whose half does. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}

export function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
