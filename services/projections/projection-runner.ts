import type { Clock } from '../../domain/clock.ts';
import { type ErrorKind, SequencerError } from '../../domain/errors.ts';
import type { ProjectedStream, ProjectionFigures, Projections } from '../../storage/projections.ts';
import type { Log } from '../../telemetry/log.ts';
import type { StreamProjector } from './stream-projector.ts';

export interface ProjectionRunnerDependencies {
  readonly projections: Pick<Projections, 'claimDue' | 'claimDueDeadLetters' | 'figures'>;
  readonly projector: Pick<StreamProjector, 'projectBatch' | 'retry'>;
  readonly clock: Clock;
  readonly logger: Log;
  /** Names this node in claims. */
  readonly claimant: string;
  /** For how long other nodes leave a claimed stream alone. */
  readonly claimSecs: number;
  /** Of the time, in per cent: for the rest of it, events can be appended without us. */
  readonly sharePercent: number;
  /** The same while the node is busy. */
  readonly busySharePercent: number;
  /** Whether the node has had much to do since it was asked last. */
  readonly isBusy: () => boolean;
  readonly onFigures: (figures: ProjectionFigures) => void;
}

/** Between two looks while nothing is appended here: other nodes append too. */
const idlePauseMs = 2_000;
/** Claims must not run out meanwhile. */
const restMsMax = 2_000;
/** After an append on this node, so that those which follow at once are taken together. */
const gatherMs = 50;
/** Looking reads the row of every store, so it takes at most one part in so many of the time. */
const shareOfLooking = 10;
const streamsMax = 50;
/** Of the streams that were claimed, before others have their turn. */
const claimUsedMs = 2_000;
const deadLettersMax = 20;
/** Whoever tries a dead letter has this long before another does. */
const deadLetterClaimSecs = 60;
const deadLettersEveryMs = 1_000;
const figuresEveryMs = 10_000;
const failurePauseMs = 60_000;
const failuresMax = 1_000;

/**
 * Projects what was appended, on every node that runs it: nodes take turns by stream, and one that dies leaves its streams to
 * the others when its claims run out. Within a stream, events are applied one after the other; between streams, each gets a
 * batch in turn.
 *
 * Stopped at first; between `start` and `stop` either pausing, until some time has passed or `wake` is called, or going through
 * the streams that it has claimed.
 */
export class ProjectionRunner {
  private readonly deps: ProjectionRunnerDependencies;
  /** Store numbers of streams that failed, and when to try them again. */
  private readonly failed = new Map<number, number>();
  private isRunning = false;
  private wasWoken = false;
  private pause: { cancel(): void } | null = null;
  private endRest: () => void = () => undefined;
  private pass: Promise<void> = Promise.resolve();
  private lookedMs = 0;
  private lookTookMs = 0;
  private deadLettersTriedMs = -Infinity;
  private figuresReadMs = -Infinity;

  constructor(deps: ProjectionRunnerDependencies) {
    this.deps = deps;
  }

  start(): void {
    this.isRunning = true;
    this.pauseFor(gatherMs);
  }

  /** Resolves when the batch under way is done. */
  async stop(): Promise<void> {
    this.isRunning = false;
    this.pause?.cancel();
    this.endRest();
    await this.pass;
  }

  /** Called when something was appended here; costs nothing. */
  wake(): void {
    if (this.wasWoken || !this.isRunning) return;
    this.wasWoken = true;
    if (this.pause === null) return;
    this.pause.cancel();
    this.pauseFor(Math.max(gatherMs, this.mayLookInMs()));
  }

  private pauseFor(ms: number): void {
    if (!this.isRunning) return;
    this.pause = this.deps.clock.after(ms, () => {
      this.pause = null;
      this.wasWoken = false;
      this.pass = this.look();
    });
  }

  private async look(): Promise<void> {
    let mayHaveMore = false;
    try {
      mayHaveMore = await this.projectDue();
      await this.retryDeadLetters();
      await this.readFigures();
    } catch (error) {
      this.deps.logger.warn({ err: error }, 'what is to be projected waits for the database');
    }
    const soon = mayHaveMore || this.wasWoken;
    this.pauseFor(Math.max(soon ? gatherMs : idlePauseMs, this.mayLookInMs()));
  }

  private mayLookInMs(): number {
    return this.lookedMs + this.lookTookMs * shareOfLooking - this.deps.clock.monotonicMs();
  }

  /** @returns whether there may be more */
  private async projectDue(): Promise<boolean> {
    const { projections, clock, claimant, claimSecs } = this.deps;
    this.lookedMs = clock.monotonicMs();
    const due = await projections.claimDue({ claimant, claimSecs, streamsMax, except: this.leftOut() });
    const startedMs = clock.monotonicMs();
    this.lookTookMs = startedMs - this.lookedMs;
    let streams: readonly ProjectedStream[] = due;
    while (streams.length > 0) {
      const next: ProjectedStream[] = [];
      for (const stream of streams) {
        // Those that are left are claimed again, before those that have had their turn.
        if (!this.isRunning || clock.monotonicMs() > startedMs + claimUsedMs) return true;
        const after = await this.projectOne(stream);
        if (after !== null && after.lastSequence < after.head) next.push(after);
      }
      streams = next;
    }
    return due.length >= streamsMax;
  }

  /** @throws LogUnavailable: what concerns no stream in particular */
  private async projectOne(stream: ProjectedStream): Promise<ProjectedStream | null> {
    const { projector, logger } = this.deps;
    try {
      return await this.inShare(() => projector.projectBatch(stream));
    } catch (error) {
      const kind: ErrorKind | null = error instanceof SequencerError ? error.kind : null;
      const isOfStream = kind !== 'pushback' || (error as SequencerError).code === 'PAYLOAD_UNREADABLE';
      if (!isOfStream) throw error;
      const { tenantId, storeId, lastSequence } = stream;
      logger.error(
        { tenantId, storeId, lastSequence, err: error },
        'the projections of a stream stand still',
      );
      this.leaveOut(stream.storeNumber);
      return null;
    }
  }

  /** Rests after the work in proportion to the time that it took. */
  private async inShare<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock, sharePercent, busySharePercent, isBusy } = this.deps;
    const startedMs = clock.monotonicMs();
    try {
      return await work();
    } finally {
      const percent = isBusy() ? Math.min(busySharePercent, sharePercent) : sharePercent;
      const restMs = ((clock.monotonicMs() - startedMs) * (100 - percent)) / percent;
      if (restMs >= 1 && this.isRunning) await this.rest(Math.min(restMs, restMsMax));
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const alarm = this.deps.clock.after(ms, resolve);
      this.endRest = () => {
        alarm.cancel();
        resolve();
      };
    });
  }

  private async retryDeadLetters(): Promise<void> {
    const { projections, projector, clock, logger } = this.deps;
    if (!this.isRunning || clock.monotonicMs() < this.deadLettersTriedMs + deadLettersEveryMs) return;
    this.deadLettersTriedMs = clock.monotonicMs();
    for (const deadLetter of await projections.claimDueDeadLetters(deadLettersMax, deadLetterClaimSecs)) {
      if (!this.isRunning) return; // The others are due again when the claim has run out.
      await this.inShare(() => projector.retry(deadLetter)).catch((error: unknown) => {
        logger.warn({ id: deadLetter.id, err: error }, 'a dead letter could not be tried');
      });
    }
  }

  private async readFigures(): Promise<void> {
    const { projections, clock, onFigures } = this.deps;
    if (clock.monotonicMs() < this.figuresReadMs + figuresEveryMs) return;
    this.figuresReadMs = clock.monotonicMs();
    onFigures(await projections.figures());
  }

  private leaveOut(storeNumber: number): void {
    const [oldest] = this.failed.keys();
    if (this.failed.size >= failuresMax && oldest !== undefined) this.failed.delete(oldest);
    this.failed.set(storeNumber, this.deps.clock.monotonicMs() + failurePauseMs);
  }

  private leftOut(): number[] {
    const nowMs = this.deps.clock.monotonicMs();
    for (const [storeNumber, retryAtMs] of this.failed)
      if (retryAtMs <= nowMs) this.failed.delete(storeNumber);
    return [...this.failed.keys()];
  }
}
