import { deadLetterReasons, deadLetterStatuses } from '../../../domain/projections/dead-letter.ts';
import { projectors } from '../../../domain/projections/project.ts';
import { deadLetterLimitDefault, deadLetterLimitMax } from '../handlers/dead-letters.ts';
import { adminRowsMax } from '../handlers/admin-lists.ts';
import { optionalQuery, pathParameter, type RouteDescription } from './description.ts';
import { count, generatedId, limitQuery, names, storeId, storeQuery, tenantId, time } from './samples.ts';
import {
  about,
  answer,
  anything,
  flag,
  integer,
  list,
  nullable,
  nullYet,
  oneOf,
  text,
  u64,
} from './shape.ts';

const tag = 'projections';
const total = integer(0);
const status = oneOf(deadLetterStatuses);
const reason = oneOf(deadLetterReasons);
const cursor = text('1769860800000000_6f0d2a52-7a51-4f2f-9d54-0d4c9a3ce1b7');

const deadLetter = answer({
  id: generatedId,
  tenantId,
  storeId,
  eventId: generatedId,
  eventType: names.eventType,
  reason,
  status,
  errorMessage: text('customer_id is missing; it takes a text that is not empty'),
  retryCount: total,
  maxRetries: integer(10),
  lastRetryAt: nullable(time),
  nextRetryAt: nullable(time),
  createdAt: time,
  metadata: answer({ sequenceNumber: u64(1), entityType: names.entityType, entityId: names.entityId }),
});

const one = pathParameter('id', 'The dead letter', generatedId, {
  operation: 'listDeadLetters',
  pointer: '/deadLetters/0/id',
});

export const describeProjections = {
  entity: {
    id: 'readProjection',
    tag,
    summary: 'An entity as the events projected so far have made it',
    who: 'read',
    parameters: [
      pathParameter('entity_type', 'What kind it is', oneOf([...projectors.keys()])),
      pathParameter('entity_id', 'Which one', names.entityId),
      ...storeQuery,
    ],
    answer: {
      about: 'Its state, and how far the stream is projected',
      shape: answer({
        tenant_id: tenantId,
        store_id: storeId,
        entity_type: oneOf([...projectors.keys()]),
        entity_id: names.entityId,
        version: about('How many events were applied to it', integer(1)),
        last_sequence: about('Of the last of them', u64(1)),
        projected_to: about('The last event of the stream that is projected', u64(1)),
        rebuilding: about('Whether later events were projected before, and are not again yet', flag(false)),
        state: anything({ status: 'pending', currency: 'EUR' }),
      }),
    },
    refusals: {
      404: 'nothing is projected for it',
      503: 'the store is projected anew, and this entity is not there yet',
    },
  },
  streams: {
    id: 'listProjections',
    tag,
    summary: 'How far each stream is projected',
    who: 'admin',
    parameters: [
      optionalQuery(
        'stalled',
        'Only streams that stand still, those that do so for longest first',
        flag(false),
      ),
    ],
    answer: {
      about: 'Those furthest behind first',
      shape: list(
        answer({
          tenantId,
          storeId,
          headSequence: u64(1),
          lastProjectedSequence: u64(1),
          projectionLag: total,
          rebuildingTo: nullYet(u64(1)),
          applied: total,
          refused: total,
          skipped: total,
          deadLetters: total,
          updatedAt: nullable(time),
          waitingSince: about(
            'Since when the next event could have been projected, and nothing of the stream was',
            nullYet(time),
          ),
        }),
        { maxItems: adminRowsMax },
      ),
    },
  },
  deadLetters: {
    id: 'listDeadLetters',
    tag,
    summary: 'Events that projections refused',
    who: 'admin',
    parameters: [
      optionalQuery('tenant_id', 'Of this tenant', tenantId),
      optionalQuery('store_id', 'Of this store', storeId),
      optionalQuery('status', 'Only these', status),
      optionalQuery('reason', 'Only those refused for this', reason),
      optionalQuery('after', 'nextAfter of the page before', cursor),
      limitQuery(deadLetterLimitDefault, deadLetterLimitMax),
    ],
    answer: {
      about: 'Newest first',
      shape: answer({ deadLetters: list(deadLetter), count, nextAfter: nullYet(cursor) }),
    },
  },
  retry: {
    id: 'retryDeadLetter',
    tag,
    summary: 'Try a dead letter now, also one that has failed for good',
    who: 'admin',
    parameters: [one],
    answer: {
      about: 'Whether it was applied, and what it is now',
      shape: answer({ success: flag(false), deadLetter }),
    },
    refusals: { 404: 'there is none with this id', 409: 'it is being tried, or was applied before' },
  },
  discard: {
    id: 'discardDeadLetter',
    tag,
    summary: 'Delete a dead letter; its event stays in the stream',
    who: 'admin',
    parameters: [one],
    answer: { about: 'What was deleted', shape: answer({ success: flag(true), discardedId: generatedId }) },
    refusals: { 404: 'there is none with this id', 409: 'it is being tried' },
    needs: ['retryDeadLetter'],
  },
} as const satisfies Record<string, RouteDescription>;
