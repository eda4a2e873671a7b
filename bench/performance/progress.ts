import { Presets, SingleBar } from 'cli-progress';
import type { Part } from './part.ts';
import type { Section } from './report.ts';

const format = '  {bar} {percentage} % │ {part}: {step} │ {duration_formatted}';
const seconds = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + part.seconds, 0);

/** Shows on standard error how far the report is: a bar that goes by seconds, or lines where nobody looks at it. */
export class Progress {
  private readonly bar: SingleBar | null;
  private done = 0;

  constructor(parts: readonly Part[]) {
    this.bar = process.stderr.isTTY
      ? new SingleBar({ format, stream: process.stderr, clearOnComplete: true }, Presets.shades_classic)
      : null;
    this.bar?.start(seconds(parts), 0, { part: 'starting', step: 'Postgres' });
  }

  step(part: Part, step: string): void {
    this.bar?.update(this.done, { part: part.title, step });
  }

  /** A part that failed is told at once, since the report comes much later. */
  finished(part: Part, { status, error, seconds: took }: Section): void {
    this.done += part.seconds;
    this.bar?.update(this.done, { part: part.title, step: status });
    const outcome = status === 'measured' ? 'measured' : `failed: ${error ?? ''}`;
    if (this.bar === null || status === 'failed')
      console.error(`${part.name}: ${outcome} (${took.toFixed(0)} s)`);
  }

  stop(): void {
    this.bar?.stop();
  }
}
