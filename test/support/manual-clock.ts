import type { Clock } from '../../domain/clock.ts';
import type { Micros } from '../../domain/types.ts';

interface Alarm {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  private elapsedMs = 0;
  private alarms: Alarm[] = [];

  nowMicros(): Micros {
    return (1_700_000_000_000_000n + BigInt(Math.round(this.elapsedMs * 1_000))) as Micros;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  after(ms: number, run: () => void): { cancel(): void } {
    const alarm = { atMs: this.elapsedMs + ms, run };
    this.alarms.push(alarm);
    return { cancel: () => (this.alarms = this.alarms.filter((other) => other !== alarm)) };
  }

  /** Lets `ms` pass; what falls due runs in the order of its time. */
  advance(ms: number): void {
    const untilMs = this.elapsedMs + ms;
    for (;;) {
      const due = this.alarms.filter((alarm) => alarm.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.alarms = this.alarms.filter((other) => other !== due);
      this.elapsedMs = due.atMs;
      due.run();
    }
    this.elapsedMs = untilMs;
  }
}
