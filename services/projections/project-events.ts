import { deadLetterReason, nextTry } from '../../domain/projections/dead-letter.ts';
import { type EntityState, project, type Refusal } from '../../domain/projections/project.ts';
import {
  type ChangedEntity,
  entityKey,
  type ProjectableEvent,
  type ProjectionStep,
  type RefusedEvent,
} from '../../storage/projections.ts';

/**
 * What a run of events of one stream changes, in their order.
 * @param entities the entities that they name, as they are now; those that are not in it do not exist
 * @param random from 0 up to 1, for the jitter of retries
 */
export function projectEvents(
  events: readonly ProjectableEvent[],
  entities: ReadonlyMap<string, EntityState>,
  random: () => number,
): ProjectionStep {
  const changed = new Map<string, ChangedEntity>();
  const refusals: RefusedEvent[] = [];
  let skipped = 0;
  let applied = 0;
  for (const event of events) {
    const { entityType, entityId, sequence } = event;
    const key = entityKey(event);
    const outcome = project(changed.get(key) ?? entities.get(key) ?? null, event);
    switch (outcome.kind) {
      case 'applied':
        applied++;
        changed.set(key, { entityType, entityId, lastSequence: sequence, ...outcome.entity });
        break;
      case 'refused':
        refusals.push(refusedEvent(event, outcome.refusal, random()));
        break;
      case 'skipped':
        skipped++;
    }
  }
  return {
    lastSequence: events.at(-1)?.sequence ?? null,
    entities: [...changed.values()],
    refusals,
    counts: { applied, refused: refusals.length, skipped },
    resolves: null,
  };
}

function refusedEvent(event: ProjectableEvent, refusal: Refusal, random: number): RefusedEvent {
  const { sequence, eventId, entityType, entityId, eventType } = event;
  const { reason: reasonCode, message, expectedVersion, actualVersion } = refusal;
  const reason = deadLetterReason(reasonCode);
  return {
    sequence,
    eventId,
    entityType,
    entityId,
    eventType,
    reasonCode,
    message,
    expectedVersion,
    actualVersion,
    deadLetterReason: reason,
    ...nextTry(reason, 0, random),
  };
}
