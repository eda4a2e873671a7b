import { Presets, SingleBar } from 'cli-progress';

/** How often the bar is told, in calls: a line is read in microseconds. */
const everyCalls = 1_000;

/** A bar on standard error while a long file is read; nothing where nobody looks. */
export class FileProgress {
  private bar: SingleBar | null = null;
  private calls = 0;

  show(bytesRead: number, bytesTotal: number): void {
    if (!process.stderr.isTTY || this.calls++ % everyCalls !== 0) return;
    if (this.bar === null) {
      const format = '  {bar} {percentage} % of the file, {eta_formatted} to go';
      this.bar = new SingleBar(
        { format, stream: process.stderr, clearOnComplete: true },
        Presets.shades_classic,
      );
      this.bar.start(bytesTotal, bytesRead);
    }
    this.bar.update(bytesRead);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }
}
