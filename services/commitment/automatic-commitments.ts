import type { Clock } from '../../domain/clock.ts';
import { type ErrorKind, SequencerError } from '../../domain/errors.ts';
import { type StreamKey, storeKeyText } from '../../domain/types.ts';
import type { CommitmentLog, DueStream } from '../../storage/commitment-log.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LedJob } from '../leadership/leader-election.ts';
import type { Committer } from './committer.ts';

export interface AutomaticCommitmentsDependencies {
  readonly log: Pick<CommitmentLog, 'findDue'>;
  readonly committer: Pick<Committer, 'commitDue'>;
  readonly clock: Clock;
  readonly logger: Log;
  /** A stream is committed as soon as it has this many new events; null when their number alone is no reason. */
  readonly everyEvents: number | null;
  /** A stream is committed when its oldest new event is this old; null when age alone is no reason. */
  readonly everySecs: number | null;
}

/** Events of one commitment, where their number is not set. */
const eventsMaxDefault = 1_024;
const pauseMs = 1_000;
/** Where more is known to be due. */
const shortPauseMs = 50;
/** Looking reads the row of every store, so it takes at most one part in so many of the time. */
const shareOfTime = 10;
const streamsMax = 100;
/** Of one stream in a row, before the others have their turn. */
const commitmentsInARowMax = 50;
const failurePauseMs = 60_000;
const failuresMax = 1_000;
/** The next pass may go through, for the same streams. */
const passingKinds: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['pushback', 'unknown']);

/**
 * Commits what has become due. One node is elected to run it, but nothing depends on that: nodes take turns by stream, and one
 * that is a step behind finds nothing to do. What became due while no node ran is caught up with, range after range.
 *
 * Stopped at first; running between `start` and `stop`, either pausing or going through the streams that are due.
 */
export class AutomaticCommitments implements LedJob {
  private readonly deps: AutomaticCommitmentsDependencies;
  private readonly eventsMax: number;
  /** Streams that failed, and when to try them again. */
  private readonly failed = new Map<string, { stream: StreamKey; retryAtMs: number }>();
  private isRunning = false;
  private pause: { cancel(): void } | null = null;
  private pass: Promise<void> = Promise.resolve();

  constructor(deps: AutomaticCommitmentsDependencies) {
    this.deps = deps;
    this.eventsMax = deps.everyEvents ?? eventsMaxDefault;
  }

  start(): void {
    this.isRunning = true;
    this.pauseFor(pauseMs);
  }

  /** Resolves when the commitment under way is made. */
  async stop(): Promise<void> {
    this.isRunning = false;
    this.pause?.cancel();
    await this.pass;
  }

  private pauseFor(ms: number): void {
    if (!this.isRunning) return;
    this.pause = this.deps.clock.after(ms, () => {
      this.pass = this.lookAndCommit();
    });
  }

  private async lookAndCommit(): Promise<void> {
    const { log, clock, logger, everyEvents: events, everySecs: ageSecs } = this.deps;
    const startedMs = clock.monotonicMs();
    let tookMs = 0;
    let mayHaveMore = false;
    try {
      const rule = { events, ageSecs, except: this.streamsToLeaveOut() };
      const due = await log.findDue(rule, streamsMax);
      tookMs = clock.monotonicMs() - startedMs;
      mayHaveMore = due.length === streamsMax;
      for (const stream of due) mayHaveMore = (await this.commitAllOf(stream)) || mayHaveMore;
    } catch (error) {
      logger.warn({ err: error }, 'the commitments that are due wait for the database');
    }
    this.pauseFor(mayHaveMore ? shortPauseMs : Math.max(pauseMs, tookMs * shareOfTime));
  }

  /**
   * @returns whether it stopped before it came to the stream's end
   * @throws LogUnavailable, CommitmentOutcomeUnknown: what concerns no stream in particular
   */
  private async commitAllOf(due: DueStream): Promise<boolean> {
    const { committer, logger } = this.deps;
    try {
      let next = due;
      for (let made = 0; made < commitmentsInARowMax && this.isRunning; made++) {
        const commitment = await committer.commitDue(next, this.eventsMax);
        // One that is not full was the last.
        if (commitment === null || commitment.leafCount < this.eventsMax) return false;
        next = { ...next, committedTo: commitment.sequenceEnd, isAged: false };
      }
      return true;
    } catch (error) {
      if (error instanceof SequencerError && passingKinds.has(error.kind)) throw error;
      const { tenantId, storeId, world } = due;
      logger.error({ tenantId, storeId, world, err: error }, 'a stream that is due was not committed');
      this.leaveOut({ tenantId, storeId, world });
      return false;
    }
  }

  private leaveOut(stream: StreamKey): void {
    const [oldest] = this.failed.keys();
    if (this.failed.size >= failuresMax && oldest !== undefined) this.failed.delete(oldest);
    const retryAtMs = this.deps.clock.monotonicMs() + failurePauseMs;
    this.failed.set(`${storeKeyText(stream)}/${stream.world}`, { stream, retryAtMs });
  }

  private streamsToLeaveOut(): StreamKey[] {
    const nowMs = this.deps.clock.monotonicMs();
    for (const [key, { retryAtMs }] of this.failed) if (retryAtMs <= nowMs) this.failed.delete(key);
    return [...this.failed.values()].map(({ stream }) => stream);
  }
}
