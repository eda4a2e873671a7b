import type { Clock } from '../../domain/clock.ts';
import type { Micros } from '../../domain/types.ts';
import type { Scheduled, Scheduler } from './scheduler.ts';

/** How far a machine's wall clock is off. It outlives the processes on the machine. */
export interface WallClock {
  offsetUs: number;
}

const wallClockStartUs = 1_700_000_000_000_000n;

/**
 * One incarnation of a node's process. Whatever reaches its code does so through a step of this process: answers of
 * the log, messages, timers. Once it has crashed none of them runs, so the code stands still for ever at the await
 * where it was; while it is paused they gather.
 */
export class SimulatedProcess {
  readonly clock: Clock;
  private readonly scheduler: Scheduler;
  private state: 'running' | 'paused' | 'crashed' = 'running';
  private gathered: (() => void)[] = [];

  constructor(scheduler: Scheduler, name: string, wallClock: WallClock) {
    this.scheduler = scheduler;
    const startUs = scheduler.nowUs - scheduler.random.integer(0, 1_000_000_000);
    this.clock = {
      nowMicros: () => (wallClockStartUs + BigInt(scheduler.nowUs + wallClock.offsetUs)) as Micros,
      monotonicMs: () => (scheduler.nowUs - startUs) / 1_000,
      sleep: (ms) => new Promise((resolve) => this.after(ms, `${name} wakes up`, resolve)),
      after: (ms, run) => this.after(ms, `${name} timer`, run),
    };
  }

  get isAlive(): boolean {
    return this.state !== 'crashed';
  }

  get isRunning(): boolean {
    return this.state === 'running';
  }

  /** Runs in this process after that time, unless it has crashed by then. */
  after(delayMs: number, label: string, run: () => void): Scheduled {
    const handle = { isCancelled: false };
    this.scheduler.after(delayMs, label, () =>
      this.enter(() => {
        if (!handle.isCancelled) run();
      }),
    );
    return { cancel: () => (handle.isCancelled = true) };
  }

  /** Runs now, or when the pause is over, or never. */
  enter(run: () => void): void {
    if (this.state === 'running') run();
    else if (this.state === 'paused') this.gathered.push(run);
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  /** What gathered comes at once, in an order that nobody promises: timers may run before answers that came earlier. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const gathered = this.scheduler.random.shuffled(this.gathered);
    this.gathered = [];
    for (const run of gathered) this.scheduler.after(0, 'catches up', () => this.enter(run));
  }

  crash(): void {
    this.state = 'crashed';
    this.gathered = [];
  }
}
