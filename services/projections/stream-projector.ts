import type { Clock } from '../../domain/clock.ts';
import { InvariantBroken, LogUnavailable } from '../../domain/errors.ts';
import { deadLetterReason, nextTry } from '../../domain/projections/dead-letter.ts';
import { project } from '../../domain/projections/project.ts';
import {
  type DeadLetter,
  entityKey,
  type ProjectableEvent,
  type ProjectedStream,
  type Projections,
  type StepCounts,
} from '../../storage/projections.ts';
import { projectEvents } from './project-events.ts';

export interface StreamProjectorDependencies {
  readonly projections: Projections;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly observer: ProjectionObserver;
}

/** What metrics want to know. */
export interface ProjectionObserver {
  projected(counts: StepCounts, tookMs: number): void;
  deadLettersAdded(count: number): void;
  deadLetterRetried(): void;
}

/** Events between two checkpoints. */
export const batchEventsMax = 100;
/** Of the payloads of a batch, the last one left out: with that, what is held of a stream is bounded. */
const batchBytesMax = 4_194_304;
/** Each lost race means that another step was made. */
const triesMax = 20;

/** Applies the events of a stream to what is projected of it, a batch or a single dead letter at a time. */
export class StreamProjector {
  private readonly deps: StreamProjectorDependencies;

  constructor(deps: StreamProjectorDependencies) {
    this.deps = deps;
  }

  /**
   * Projects the next events, at most a hundred, up to a new checkpoint.
   * @returns the stream as it is now; null when another was at it meanwhile, and nothing was changed
   * @throws PayloadUnreadable when this node lacks the key of a payload
   * @throws LogUnavailable
   */
  async projectBatch(stream: ProjectedStream): Promise<ProjectedStream | null> {
    const { projections, clock, random, observer } = this.deps;
    const startedMs = clock.monotonicMs();
    const bounds = { eventsMax: batchEventsMax, bytesMax: batchBytesMax };
    const events = await projections.readEvents(stream, bounds);
    checkRun(stream, events);
    const names = new Map(events.map((event) => [entityKey(event), event]));
    const entities = await projections.readEntities(stream, [...names.values()]);
    const step = projectEvents(events, entities, random);
    const advanced = await projections.advance(stream, step);
    if (advanced !== null) {
      observer.projected(step.counts, clock.monotonicMs() - startedMs);
      observer.deadLettersAdded(step.refusals.length);
    }
    return advanced;
  }

  /**
   * Tries a dead letter, which must be claimed, against its entity as it is now.
   * @returns whether it was applied; false also when it is gone, since its stream is projected anew
   * @throws PayloadUnreadable, LogUnavailable: it is then tried again when its claim has run out
   */
  async retry(deadLetter: DeadLetter): Promise<boolean> {
    const { projections, observer } = this.deps;
    for (let tries = 1; tries <= triesMax; tries++) {
      const outcome = await this.tryOnce(deadLetter);
      if (outcome === 'lost a race') continue;
      if (outcome === 'gone') return false;
      observer.deadLetterRetried();
      if (outcome === 'applied') return true;
      await projections.noteRefusal(deadLetter.id, outcome);
      return false;
    }
    throw new LogUnavailable('a stream is projected by too many at once', { tries: triesMax });
  }

  private async tryOnce(
    deadLetter: DeadLetter,
  ): Promise<'applied' | 'gone' | 'lost a race' | Parameters<Projections['noteRefusal']>[1]> {
    const { projections, clock, random, observer } = this.deps;
    const startedMs = clock.monotonicMs();
    // First the revision, then whether it is still there: whoever begins the stream anew raises the one and deletes the other.
    const stream = await projections.find(deadLetter);
    const current = await projections.findDeadLetter(deadLetter.id);
    if (stream === null || current?.status !== 'retrying') return 'gone';
    const event = await projections.readEvent(stream, deadLetter.eventId);
    if (event === null) {
      throw new InvariantBroken(`the event of the dead letter ${deadLetter.id} is not there`, { ...stream });
    }
    const key = entityKey(event);
    const entities = await projections.readEntities(stream, [event]);
    const outcome = project(entities.get(key) ?? null, event);
    if (outcome.kind === 'refused') {
      const { reason: code, message } = outcome.refusal;
      const reason = deadLetterReason(code);
      return { reason, message, ...nextTry(reason, current.retryCount + 1, random()) };
    }
    const { entityType, entityId, sequence: lastSequence } = event;
    const counts = { applied: outcome.kind === 'applied' ? 1 : 0, refused: 0, skipped: 0 };
    const advanced = await projections.advance(stream, {
      lastSequence: null,
      entities: outcome.kind === 'applied' ? [{ entityType, entityId, lastSequence, ...outcome.entity }] : [],
      refusals: [],
      counts,
      resolves: deadLetter.id,
    });
    if (advanced === null) return 'lost a race';
    observer.projected(counts, clock.monotonicMs() - startedMs);
    return 'applied';
  }
}

/** @throws InvariantBroken when the events do not follow the checkpoint: to go on would leave some out for ever */
function checkRun(stream: ProjectedStream, events: readonly ProjectableEvent[]): void {
  const wrong = events.findIndex(({ sequence }, index) => sequence !== stream.lastSequence + 1 + index);
  if (wrong < 0 && events.length > 0) return;
  const { tenantId, storeId, lastSequence, head } = stream;
  throw new InvariantBroken(
    `event ${lastSequence + 1 + Math.max(wrong, 0)} is not in a stream whose head is ${head}`,
    {
      tenantId,
      storeId,
    },
  );
}
