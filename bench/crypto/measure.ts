import { build, type Histogram } from 'hdr-histogram-js';

/** What one operation costs when it is repeated. */
export interface OperationFigures {
  /** The median of some rounds. */
  readonly perSecond: number;
  /** Processor time of this process, all threads together. It says much the same on a busy machine. */
  readonly cpuMicros: number;
  readonly p50Micros: number;
  readonly p95Micros: number;
  readonly p99Micros: number;
  readonly operations: number;
}

export interface Span {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const rounds = 5;

/**
 * Repeats an operation on this thread. Every single one is timed, and the time that this takes (0.1 µs) counts.
 * @param operation is given a number of its own each time, warm-up included
 */
export function measureRepeated(
  operation: (turn: number) => void,
  span: Span,
): OperationFigures & { readonly times: Histogram } {
  let turn = 0;
  for (const untilMs = performance.now() + span.warmUpMs; performance.now() < untilMs;) operation(turn++);
  const times = openTimes();
  const cpuBefore = process.cpuUsage();
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const untilMs = startMs + span.measureMs / rounds;
    let count = 0;
    let lastMs = startMs;
    while (lastMs < untilMs) {
      operation(turn++);
      count++;
      const nowMs = performance.now();
      recordTime(times, nowMs - lastMs);
      lastMs = nowMs;
    }
    rates.push(count / ((lastMs - startMs) / 1_000));
  }
  return { ...figuresOf(times, median(rates), cpuSince(cpuBefore)), times };
}

/**
 * Repeats operations that wait, some at once: each loop begins its next when the last one is done. On a slow machine the work may
 * be used up, or the time over, before anything was measured: then there is the warm-up to go by.
 * @param loops give false when there is nothing left to do, which ends that loop
 */
export async function measureLoops(
  loops: readonly (() => Promise<boolean>)[],
  { warmUpMs, measureMs }: Span,
): Promise<OperationFigures> {
  const warmUntilMs = performance.now() + warmUpMs;
  const endMs = warmUntilMs + measureMs;
  const [warmUp, measured] = [openPhase(), openPhase()];
  const run = async (operation: () => Promise<boolean>): Promise<void> => {
    for (;;) {
      const startMs = performance.now();
      if (startMs >= endMs) return;
      const phase = startMs >= warmUntilMs ? measured : warmUp;
      phase.began ??= { atMs: startMs, cpu: process.cpuUsage() };
      if (!(await operation())) return;
      phase.lastMs = performance.now();
      recordTime(phase.times, phase.lastMs - startMs);
    }
  };
  await Promise.all(loops.map(run));
  const { times, began, lastMs } = measured.times.totalCount > 0 ? measured : warmUp;
  const seconds = (lastMs - (began?.atMs ?? lastMs)) / 1_000;
  return figuresOf(times, times.totalCount / seconds, cpuSince(began!.cpu));
}

interface Phase {
  readonly times: Histogram;
  began: { readonly atMs: number; readonly cpu: NodeJS.CpuUsage } | null;
  lastMs: number;
}

function openPhase(): Phase {
  return { times: openTimes(), began: null, lastMs: 0 };
}

/** Times in nanoseconds. */
export function openTimes(): Histogram {
  return build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 3 });
}

function recordTime(times: Histogram, ms: number): void {
  times.recordValue(Math.round(ms * 1_000_000));
}

/** @param cpuMicros of all operations */
export function figuresOf(times: Histogram, perSecond: number, cpuMicros: number): OperationFigures {
  const micros = (percentile: number): number => times.getValueAtPercentile(percentile) / 1_000;
  return {
    perSecond,
    cpuMicros: cpuMicros / times.totalCount,
    ...{ p50Micros: micros(50), p95Micros: micros(95), p99Micros: micros(99) },
    operations: times.totalCount,
  };
}

/** In microseconds. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
