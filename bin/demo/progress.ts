import { Presets, SingleBar } from 'cli-progress';

/** A bar for people; a line a phase for files and pipes. */
export class Progress {
  private readonly total: number;
  private readonly bar: SingleBar | null;
  private phase = '';

  constructor(total: number) {
    this.total = total;
    const format = '  {phase} {bar} {value}/{total} events';
    this.bar = process.stdout.isTTY ? new SingleBar({ format }, Presets.shades_classic) : null;
  }

  advance(phase: 'append' | 'read', count: number): void {
    if (phase !== this.phase) {
      this.stop();
      this.phase = phase;
      if (this.bar === null) console.log(phase === 'append' ? 'Appending' : 'Reading back');
      this.bar?.start(this.total, 0, { phase: phase.padEnd('append'.length) });
    }
    this.bar?.increment(count);
  }

  stop(): void {
    this.bar?.stop();
  }
}
