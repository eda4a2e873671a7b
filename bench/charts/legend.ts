import { text } from './svg.ts';

/** What a colour or a stroke stands for. */
export interface Sample {
  readonly name: string;
  /** @param y of the line that the name is written on */
  readonly draw: (x: number, y: number) => string;
}

const sampleWidth = 19;
const characterWidth = 6;
const gap = 22;

/** Names beside what they stand for, from left to right. */
export function legendRow(
  samples: readonly Sample[],
  { left, y }: { readonly left: number; readonly y: number },
): string[] {
  let x = left;
  return samples.map(({ name, draw }) => {
    const at = x;
    x += sampleWidth + name.length * characterWidth + gap;
    return draw(at, y) + text(at + sampleWidth, y, name, 'font-size="11"');
  });
}
