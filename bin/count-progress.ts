import { Presets, SingleBar } from 'cli-progress';

/** Between two looks at the terminal: a step may take microseconds. */
const everyMs = 100;

/** A bar on standard error for a command that takes its time; nothing where nobody looks. */
export class CountProgress {
  private readonly unit: string;
  private bar: SingleBar | null = null;
  private shownAt = 0;

  /** @param unit what is counted, such as `events` */
  constructor(unit: string) {
    this.unit = unit;
  }

  show(done: number, total: number): void {
    if (!process.stderr.isTTY || total < 1) return;
    const now = performance.now();
    if (this.bar !== null && now - this.shownAt < everyMs) return;
    this.shownAt = now;
    if (this.bar === null) {
      const format = `  {bar} {value}/{total} ${this.unit}, {eta_formatted} to go`;
      this.bar = new SingleBar(
        { format, stream: process.stderr, clearOnComplete: true },
        Presets.shades_classic,
      );
      this.bar.start(total, done);
    }
    this.bar.setTotal(total);
    this.bar.update(done);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }
}
