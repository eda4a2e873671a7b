import { legacyEventNames, legacyRequestNames } from '../../../domain/legacy/read-request.ts';
import { entityEventsLimitMax } from '../handlers/list-entity-events.ts';
import { eventsLimitDefault, eventsLimitMax } from '../handlers/list-events.ts';
import { optionalQuery, pathParameter, type RouteDescription } from './description.ts';
import {
  agentId,
  count,
  generatedId,
  hash,
  limitQuery,
  names,
  sample,
  sequence,
  storeId,
  storeQuery,
  tenantId,
  time,
} from './samples.ts';
import {
  about,
  absent,
  answer,
  anything,
  flag,
  integer,
  list,
  nullable,
  oneOf,
  optional,
  request,
  text,
  u32,
  u64,
  uuid,
} from './shape.ts';

const bytes = list(integer(1, { maximum: 255 }));

const sentEvent = request(legacyEventNames, {
  event_id: uuid(sample.event),
  tenant_id: tenantId,
  store_id: storeId,
  entity_type: names.entityType,
  entity_id: names.entityId,
  event_type: names.eventType,
  payload: about('Any JSON, null too; kept with the text that it is sent with', anything(sample.payload)),
  created_at: time,
  envelope_version: absent(about('Of no effect', u32(1))),
  command_id: absent(about('Given to one event of the stream only', uuid(sample.generated))),
  payload_hash: absent(
    about('SHA-256 of the payload as compact JSON with sorted keys; computed when absent', hash),
  ),
  base_version: absent(about('The version that the entity must have; 0 for a new one', u64(0))),
  sequence_number: absent(about('Of no effect', u64(1))),
  source_agent: absent(about('The agent of the request when absent', agentId)),
  signature: absent(about('Kept, and not checked', bytes)),
});

/** An event as it is read back. */
export const legacyEnvelope = answer({
  envelope_version: oneOf([1]),
  event_id: uuid(sample.event),
  command_id: absent(uuid(sample.generated)),
  tenant_id: tenantId,
  store_id: storeId,
  entity_type: names.entityType,
  entity_id: names.entityId,
  event_type: names.eventType,
  payload: anything(sample.payload),
  payload_hash: hash,
  base_version: absent(u64(0)),
  created_at: time,
  sequence_number: sequence,
  source_agent: agentId,
  signature: absent(bytes),
});

const listed = list(answer({ envelope: legacyEnvelope, sequenced_at: time }));

const rejection = answer({
  event_id: uuid(sample.event),
  reason: oneOf([
    'DuplicateEventId',
    'DuplicateCommandId',
    'InvalidPayloadHash',
    'VersionConflict',
    'SchemaValidation',
    'Other',
  ]),
  message: text('…'),
  sequence_number: absent(about('Where the event is stored, when it is', sequence)),
});

/** The head of either stream of a store. */
export const headAnswer = {
  about: 'The last durable sequence; 0 for a stream that nobody wrote to',
  shape: answer({ head_sequence: u64(1) }),
};

export const hole = 'The stored range has a hole, which no operation makes';

export const describeEvents = {
  ingest: {
    id: 'ingestLegacyEvents',
    tag: 'events',
    summary: 'Appends events to the legacy stream of a store',
    who: 'write',
    body: request(legacyRequestNames, {
      agent_id: optional(about("The first event's source_agent when absent", agentId)),
      events: about('All of one store', list(sentEvent)),
    }),
    answer: {
      about: 'What became of each event: those accepted are durable, and of those rejected nothing is stored',
      shape: answer({
        batch_id: about('Random; names nothing that is stored', generatedId),
        events_accepted: count,
        events_rejected: integer(0),
        assigned_sequence_start: nullable(sequence),
        assigned_sequence_end: nullable(sequence),
        head_sequence: u64(1),
        rejections: absent(list(rejection, { minItems: 1 })),
        receipts: list(answer({ event_id: uuid(sample.event), sequence_number: sequence })),
      }),
    },
  },
  list: {
    id: 'listLegacyEvents',
    tag: 'events',
    summary: 'Reads a range of the legacy stream, ascending and without gaps',
    who: 'read',
    parameters: [
      ...storeQuery,
      optionalQuery('from', 'The first sequence of the range; 0 counts as 1', u64(1)),
      limitQuery(eventsLimitDefault, eventsLimitMax),
    ],
    answer: {
      about: 'The events; the next page begins at the last sequence_number plus 1',
      shape: answer({ events: listed, count }),
    },
    refusals: { 409: hole },
    needs: ['ingestLegacyEvents'],
  },
  head: {
    id: 'readLegacyHead',
    tag: 'events',
    summary: 'Tells the head of the legacy stream',
    who: 'read',
    parameters: storeQuery,
    answer: headAnswer,
  },
  entity: {
    id: 'listEntityEvents',
    tag: 'events',
    summary: 'Reads the legacy events of one entity',
    who: 'read',
    parameters: [
      pathParameter('entity_type', 'What kind of thing', names.entityType),
      pathParameter('entity_id', 'Which one', names.entityId),
      ...storeQuery,
      optionalQuery('from', 'How many of its events to skip', u64(0)),
      limitQuery(entityEventsLimitMax, entityEventsLimitMax, 0),
    ],
    answer: {
      about: 'A page of its events; none for an entity that does not exist',
      shape: answer({
        entity_type: names.entityType,
        entity_id: names.entityId,
        events: listed,
        count,
        total: integer(1),
        has_more: flag(false),
      }),
    },
    needs: ['ingestLegacyEvents'],
  },
} as const satisfies Record<string, RouteDescription>;
