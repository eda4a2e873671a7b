import { compatibilities, descriptionBytesMax, schemaStatuses } from '../../../domain/schema/schema.ts';
import { judgementNames, schemaNames, statusNames } from '../handlers/schema-request.ts';
import { optionalQuery, pathParameter, type RouteDescription } from './description.ts';
import { agentId, count, generatedId, names, sample, tenantId, tenantQuery, time } from './samples.ts';
import {
  about,
  absent,
  answer,
  anything,
  flag,
  list,
  nullable,
  nullYet,
  oneOf,
  optional,
  request,
  text,
  u32,
} from './shape.ts';

const schemaJson = anything({
  type: 'object',
  required: ['total'],
  properties: { total: { type: 'number' } },
});
const version = u32(1);
const status = oneOf(schemaStatuses);
const compatibility = oneOf(compatibilities);

const schema = answer({
  id: generatedId,
  tenantId,
  eventType: names.eventType,
  version,
  schemaJson,
  status,
  compatibility,
  description: nullYet(text('…')),
  createdAt: time,
  updatedAt: time,
  createdBy: nullYet(agentId),
});
const schemas = answer({ schemas: list(schema), count });

const schemaId = pathParameter('schema_id', 'The schema', generatedId, {
  operation: 'registerSchema',
  pointer: '/id',
});
const eventType = pathParameter('event_type', 'The event type', names.eventType);
const repeated = optionalQuery('event_type', 'The same once more, as some clients send it', names.eventType);
const unknown = 'There is no such schema in a tenant that the caller may see';
const needs = ['registerSchema'];

export const describeSchemas = {
  list: {
    id: 'listSchemas',
    tag: 'schemas',
    summary: 'Lists the schemas of a tenant',
    who: 'read',
    parameters: [tenantQuery],
    answer: { about: 'By event type, newest first', shape: schemas },
    needs,
  },
  register: {
    id: 'registerSchema',
    tag: 'schemas',
    summary: 'Registers the next version for an event type, by which its payloads are judged from now on',
    who: 'write',
    body: request(schemaNames, {
      tenantId,
      eventType: names.eventType,
      schemaJson: about('JSON Schema of draft-07, 2019-09 or 2020-12', schemaJson),
      description: absent(text('…', { maxLength: descriptionBytesMax })),
      compatibility: optional(compatibility),
    }),
    answer: {
      about: 'The version',
      shape: answer({ id: generatedId, eventType: names.eventType, version, createdAt: time }),
    },
    refusals: { 409: 'The schema breaks the compatibility that it declares, while that is enforced' },
  },
  validate: {
    id: 'validatePayload',
    tag: 'schemas',
    summary: 'Judges a payload as ingest would, and stores nothing',
    who: 'read',
    body: request(judgementNames, {
      tenantId,
      eventType: names.eventType,
      payload: anything(sample.payload),
      schemaVersion: absent(about('The active version when absent', u32(1))),
    }),
    answer: {
      about: 'Whether the payload fits; nulls when there is no schema to fit',
      shape: answer({
        valid: flag(true),
        schemaId: nullable(generatedId),
        schemaVersion: nullable(version),
        errors: { ...list(answer({ path: text('/total'), message: text('…') })), example: [] },
      }),
    },
    refusals: { 404: 'The event type has no such version' },
    needs,
  },
  one: {
    id: 'readSchema',
    tag: 'schemas',
    summary: 'Reads a schema',
    who: 'read',
    parameters: [schemaId],
    answer: { about: 'The schema, as it was sent', shape: schema },
    refusals: { 404: unknown },
  },
  status: {
    id: 'setSchemaStatus',
    tag: 'schemas',
    summary: 'Says whether a schema judges payloads: only active ones do',
    who: 'write',
    parameters: [schemaId],
    body: request(statusNames, { status }),
    answer: {
      about: 'The new status',
      shape: answer({ success: oneOf([true]), schema_id: generatedId, new_status: status }),
    },
    refusals: { 404: unknown },
  },
  remove: {
    id: 'deleteSchema',
    tag: 'schemas',
    summary: 'Removes one version of a schema',
    who: 'admin',
    parameters: [schemaId],
    answer: {
      about: 'It is gone; other versions keep their numbers',
      shape: answer({ success: oneOf([true]), deleted_schema_id: generatedId }),
    },
    refusals: { 404: unknown },
  },
  ofEventType: {
    id: 'listSchemasOfEventType',
    tag: 'schemas',
    summary: 'Lists the versions for an event type, or reads one of them',
    who: 'read',
    parameters: [eventType, tenantQuery, optionalQuery('version', 'This one alone', u32(1)), repeated],
    answer: {
      about: 'Newest first; with a version that one',
      shape: {
        schema: { anyOf: [schemas.schema, answer({ schema }).schema] },
        example: schemas.example,
      },
    },
    refusals: { 404: 'The event type has no such version' },
    needs,
  },
  latest: {
    id: 'readLatestSchema',
    tag: 'schemas',
    summary: 'Reads the highest active version for an event type, by which payloads are judged',
    who: 'read',
    parameters: [eventType, tenantQuery, repeated],
    answer: { about: 'The schema', shape: schema },
    refusals: { 404: 'The event type has no active schema' },
    needs,
  },
} as const satisfies Record<string, RouteDescription>;
