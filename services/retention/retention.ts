import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LedJob } from '../leadership/leader-election.ts';

/** Rows that need not be kept for ever. */
export interface RetentionRule {
  /** What log lines call them, in the plural. */
  readonly rows: string;
  /** Deletes up to this many of those whose time is up; returns how many there were. */
  readonly deleteSome: (rowsMax: number) => Promise<number>;
  readonly onDeleted?: (rows: number) => void;
}

export interface RetentionDependencies {
  /** At least one. */
  readonly rules: readonly RetentionRule[];
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const everyMs = 3_600_000;
/** Of one statement: few, so that nobody waits for its locks, and many in an hour all the same. */
const rowsMax = 1_000;
const pauseMs = 200;

/** Goes through the rules once an hour, and deletes a few rows at a time. */
export class Retention implements LedJob {
  private readonly deps: RetentionDependencies;
  private isRunning = false;
  private pause: { cancel(): void } | null = null;
  private statement: Promise<void> = Promise.resolve();

  constructor(deps: RetentionDependencies) {
    this.deps = deps;
  }

  start(): void {
    this.isRunning = true;
    this.pauseFor(pauseMs, 0, 0);
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    this.pause?.cancel();
    await this.statement;
  }

  /** @param deleted by this rule already, since its turn came */
  private pauseFor(ms: number, rule: number, deleted: number): void {
    if (!this.isRunning) return;
    this.pause = this.deps.clock.after(ms, () => {
      this.statement = this.deleteSome(rule, deleted);
    });
  }

  private async deleteSome(index: number, deletedBefore: number): Promise<void> {
    const { rules, log } = this.deps;
    const { rows: name, deleteSome, onDeleted } = rules[index]!;
    try {
      const count = await deleteSome(rowsMax);
      const deleted = deletedBefore + count;
      onDeleted?.(count);
      if (count === rowsMax) return this.pauseFor(pauseMs, index, deleted);
      if (deleted > 0) log.info({ rows: deleted }, `deleted ${name}`);
    } catch (error) {
      log.warn({ err: error }, `could not delete ${name}: they wait for the next time`);
    }
    const next = (index + 1) % rules.length;
    this.pauseFor(next === 0 ? everyMs : pauseMs, next, 0);
  }
}
