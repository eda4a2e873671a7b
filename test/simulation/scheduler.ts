import { SeededRandom } from './seeded-random.ts';

export interface Scheduled {
  cancel(): void;
}

interface Step {
  readonly atUs: number;
  /** Steps of the same microsecond run in the order in which they were scheduled. */
  readonly order: number;
  readonly label: string;
  run: (() => void) | null;
}

/**
 * Virtual time, and the only source of asynchrony in a simulation: a step runs, then all promises that it settled,
 * and only then the next step. With chance from a seed the whole run is a function of that seed.
 */
export class Scheduler {
  readonly random: SeededRandom;
  nowUs = 0;
  stepCount = 0;
  /** Of all steps so far and their times: two runs with the same hash were the same run. */
  traceHash = 0x811c9dc5;

  /** How often what happened, so that a test can tell whether faults really struck. */
  readonly tally = new Map<string, number>();

  private readonly heap: Step[] = [];
  private readonly onTrace: ((line: string) => void) | null;
  private order = 0;

  constructor(seed: number, onTrace: ((line: string) => void) | null = null) {
    this.random = new SeededRandom(seed);
    this.onTrace = onTrace;
  }

  get nowMs(): number {
    return this.nowUs / 1_000;
  }

  after(delayMs: number, label: string, run: () => void): Scheduled {
    const atUs = this.nowUs + Math.max(0, Math.round(delayMs * 1_000));
    const step: Step = { atUs, order: this.order++, label, run };
    this.push(step);
    return { cancel: () => (step.run = null) };
  }

  /** Puts into the trace what happened inside a step. */
  note(label: string): void {
    let hash = Math.imul(this.traceHash ^ this.nowUs, 0x01000193);
    for (let index = 0; index < label.length; index++) {
      hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
    }
    this.traceHash = hash;
    this.onTrace?.(`${(this.nowUs / 1_000).toFixed(3).padStart(10)} ms  ${label}`);
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  /** Runs step by step until the condition holds or `forMs` have passed. Returns whether it holds. */
  async runUntil(isDone: () => boolean, forMs: number): Promise<boolean> {
    const endUs = this.nowUs + Math.round(forMs * 1_000);
    await promisesSettled();
    while (!isDone()) {
      const step = this.pop(endUs);
      if (step === null) {
        this.nowUs = endUs;
        return isDone();
      }
      if (step.run === null) continue;
      this.nowUs = step.atUs;
      this.stepCount++;
      this.note(step.label);
      step.run();
      await promisesSettled();
    }
    return true;
  }

  private push(step: Step): void {
    const { heap } = this;
    let index = heap.push(step) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!comesBefore(step, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = step;
  }

  /** The next step, unless it lies after `endUs`. */
  private pop(endUs: number): Step | null {
    const { heap } = this;
    const first = heap[0];
    if (first === undefined || first.atUs > endUs) return null;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!comesBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function comesBefore(a: Step, b: Step): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}

/**
 * Resolves when no promise has anything left to run. Node runs `nextTick` callbacks only when the queue of settled
 * promises is empty, provided that they were asked for from within it; hence the first await.
 */
async function promisesSettled(): Promise<void> {
  await Promise.resolve();
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
