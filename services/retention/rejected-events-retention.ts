import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LedJob } from '../leadership/leader-election.ts';

export interface RejectedEventsRetentionDependencies {
  /** Deletes up to this many records of refused events that are older; returns how many there were. */
  readonly deleteOld: (rule: { readonly olderThanDays: number; readonly rowsMax: number }) => Promise<number>;
  readonly olderThanDays: number;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly onDeleted: (rows: number) => void;
}

const everyMs = 3_600_000;
/** Of one statement: few, so that nobody waits for its locks, and many in an hour all the same. */
const rowsMax = 1_000;
const pauseMs = 200;

/**
 * Deletes records of refused events that are older than they have to be, a few at a time. What they say can be had again by
 * a rebuild of the projections.
 */
export class RejectedEventsRetention implements LedJob {
  private readonly deps: RejectedEventsRetentionDependencies;
  private isRunning = false;
  private pause: { cancel(): void } | null = null;
  private statement: Promise<void> = Promise.resolve();
  private deleted = 0;

  constructor(deps: RejectedEventsRetentionDependencies) {
    this.deps = deps;
  }

  start(): void {
    this.isRunning = true;
    this.pauseFor(pauseMs);
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    this.pause?.cancel();
    await this.statement;
  }

  private pauseFor(ms: number): void {
    if (!this.isRunning) return;
    this.pause = this.deps.clock.after(ms, () => {
      this.statement = this.deleteSome();
    });
  }

  private async deleteSome(): Promise<void> {
    const { deleteOld, olderThanDays, log, onDeleted } = this.deps;
    try {
      const rows = await deleteOld({ olderThanDays, rowsMax });
      this.deleted += rows;
      onDeleted(rows);
      if (rows === rowsMax) return this.pauseFor(pauseMs);
      if (this.deleted > 0) {
        log.info({ rows: this.deleted, olderThanDays }, 'deleted old records of refused events');
      }
      this.deleted = 0;
    } catch (error) {
      log.warn({ err: error }, 'old records of refused events wait for the database');
    }
    this.pauseFor(everyMs);
  }
}
