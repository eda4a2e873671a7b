import { utf8Length } from '../../../domain/bytes.ts';
import { nameFault, nameLimits } from '../../../domain/check-request.ts';
import { Refused } from '../../../domain/errors.ts';
import { FieldNames } from '../../../domain/json/field-names.ts';
import { FieldReader } from '../../../domain/json/fields.ts';
import { JsonReader } from '../../../domain/json/reader.ts';
import {
  compactJson,
  compatibilities,
  descriptionBytesMax,
  type NewSchema,
  schemaBytesMax,
  type SchemaStatus,
  schemaStatuses,
  type SchemaSubject,
} from '../../../domain/schema/schema.ts';
import type { Uuid } from '../../../domain/types.ts';

/** A schema as someone wants it registered (http-api 10). */
export type SchemaRequest = Omit<NewSchema, 'version' | 'createdBy'>;

/** A payload that someone wants judged. */
export interface JudgementRequest extends SchemaSubject {
  /** JSON text; a view into the body. */
  readonly payload: Uint8Array;
  /** Null for the active version. */
  readonly version: number | null;
}

// The legacy form keeps numbers as they are written, so that its length is the schema's as compact JSON.
const json = new JsonReader('legacy');
const fields = new FieldReader(json);
export const schemaNames = new FieldNames([
  'tenantId',
  'eventType',
  'schemaJson',
  'description',
  'compatibility',
]);
export const statusNames = new FieldNames(['status']);
export const judgementNames = new FieldNames(['tenantId', 'eventType', 'payload', 'schemaVersion']);
const u32Max = 0xffff_ffffn;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** @throws Refused for what is no JSON, has a field missing or of the wrong type, or is too long */
export function readSchemaRequest(body: Uint8Array): SchemaRequest {
  const found: {
    tenantId?: Uuid;
    eventType?: string;
    schema?: Uint8Array;
    schemaBytes: number;
    description?: string;
    compatibility?: SchemaRequest['compatibility'];
  } = { schemaBytes: 0 };
  fields.open(body);
  const at = fields.object(schemaNames, (name) => {
    switch (name) {
      case 'tenantId':
        found.tenantId = fields.uuid();
        break;
      case 'eventType':
        found.eventType = fields.text();
        break;
      case 'schemaJson':
        found.schema = fields.document();
        found.schemaBytes = json.end;
        break;
      case 'description':
        if (!fields.isNull()) found.description = fields.text();
        break;
      case 'compatibility':
        if (!fields.isNull()) found.compatibility = oneOf(name, compatibilities);
    }
  });
  fields.finish();
  const { tenantId, eventType, schema, description = null, compatibility = 'backward' } = found;
  if (tenantId === undefined) throw fields.missing(at, 'tenantId');
  if (eventType === undefined) throw fields.missing(at, 'eventType');
  if (schema === undefined) throw fields.missing(at, 'schemaJson');
  checkEventType(eventType);
  if (description !== null) checkDescription(description);
  return { tenantId, eventType, json: schemaText(schema, found.schemaBytes), description, compatibility };
}

/** @throws Refused */
export function readStatusRequest(body: Uint8Array): SchemaStatus {
  const found: { status?: SchemaStatus } = {};
  fields.open(body);
  const at = fields.object(statusNames, (name) => (found.status = oneOf(name, schemaStatuses)));
  fields.finish();
  if (found.status === undefined) throw fields.missing(at, 'status');
  return found.status;
}

/** @throws Refused */
export function readJudgementRequest(body: Uint8Array): JudgementRequest {
  const found: { tenantId?: Uuid; eventType?: string; payload?: Uint8Array; version?: number } = {};
  fields.open(body);
  const at = fields.object(judgementNames, (name) => {
    switch (name) {
      case 'tenantId':
        found.tenantId = fields.uuid();
        break;
      case 'eventType':
        found.eventType = fields.text();
        break;
      case 'payload':
        found.payload = fields.document();
        break;
      case 'schemaVersion':
        if (!fields.isNull()) found.version = Number(fields.integer(u32Max));
    }
  });
  fields.finish();
  const { tenantId, eventType, payload, version = null } = found;
  if (tenantId === undefined) throw fields.missing(at, 'tenantId');
  if (eventType === undefined) throw fields.missing(at, 'eventType');
  if (payload === undefined) throw fields.missing(at, 'payload');
  checkEventType(eventType);
  return { tenantId, eventType, payload, version };
}

/** @throws Refused for a name that no event can have */
export function checkEventType(eventType: string): void {
  const fault = nameFault(eventType, nameLimits.eventType.bytesMax);
  if (fault !== null) throw new Refused('INVALID_FIELD_VALUE', `eventType ${fault}`);
}

function oneOf<Value extends string>(field: string, values: readonly Value[]): Value {
  const text = fields.text();
  const value = values.find((known) => known === text);
  if (value !== undefined) return value;
  const given = JSON.stringify(text.slice(0, 64));
  throw new Refused('WRONG_SHAPE', `${field} must be one of ${values.join(', ')}, not ${given}`, {
    path: field,
  });
}

function checkDescription(description: string): void {
  const bytes = utf8Length(description);
  if (bytes > descriptionBytesMax) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `description has ${bytes} bytes; at most ${descriptionBytesMax} are accepted`,
    );
  }
  if (description.includes('\0')) {
    throw new Refused('INVALID_FIELD_VALUE', "description has the character U+0000, which can't be stored");
  }
}

/** @param bytes the schema's length as compact JSON without escapes that it does not need */
function schemaText(schema: Uint8Array, bytes: number): string {
  if (bytes > schemaBytesMax) throw tooLong(bytes);
  const text = compactJson(utf8.decode(schema));
  const length = utf8Length(text);
  if (length > schemaBytesMax) throw tooLong(length);
  return text;
}

function tooLong(bytes: number): Refused {
  return new Refused(
    'PAYLOAD_TOO_LARGE',
    `schemaJson has ${bytes} bytes as compact JSON; at most ${schemaBytesMax} are accepted`,
  );
}
