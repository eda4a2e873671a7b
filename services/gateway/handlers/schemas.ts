import { isBootstrapAdmin, nilUuid, type Permission, type Principal } from '../../../domain/access.ts';
import { nameLimits } from '../../../domain/check-request.ts';
import { Refused } from '../../../domain/errors.ts';
import type { RegisteredSchema, SchemaStatus, SchemaSubject } from '../../../domain/schema/schema.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { TenantId } from '../../../domain/types.ts';
import type { AuditAction, NewAuditEntry } from '../../../storage/audit-log.ts';
import type { Schemas } from '../../../storage/schemas.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { SchemaRegistry } from '../../schemas/schema-registry.ts';
import { originOf } from '../audited-request.ts';
import { jsonReply, jsonTextReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { pathUuid, permit } from './reading.ts';
import {
  checkEventType,
  readJudgementRequest,
  readSchemaRequest,
  readStatusRequest,
} from './schema-request.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;
type Audit = Pick<AuditLog, 'record'>;

export const schemaListMax = 1_000;

/** Registers the next version for an event type; it judges payloads on every node within a second. */
export function registerSchema(registry: Pick<SchemaRegistry, 'register'>, audit: Audit): Handle {
  return async (request) => {
    const wanted = readSchemaRequest(await request.readBody());
    permitOnTenant(request, 'write', wanted.tenantId);
    const schema = await registry.register({ ...wanted, createdBy: request.principal.agentId });
    await audit.record(entryAbout(schema, request, 'schema_registered'));
    const { id, eventType, version } = schema;
    return jsonReply({ id, eventType, version, createdAt: formatTimestamp(schema.createdAt, '+00:00') });
  };
}

/** All versions of all event types of a tenant, by event type and then newest first. */
export function listSchemas(schemas: Pick<Schemas, 'list'>): Handle {
  return async (request) => {
    const tenantId = request.query().uuid('tenant_id');
    permitOnTenant(request, 'read', tenantId);
    return listReply(request, await schemas.list(tenantId, schemaListMax));
  };
}

export function readSchema(schemas: Pick<Schemas, 'find'>): Handle {
  return async (request) => {
    const { id, tenantId } = namedSchema(request, 'read');
    return jsonTextReply(schemaText((await schemas.find(id, tenantId)) ?? unknown(id)));
  };
}

export function setSchemaStatus(registry: Pick<SchemaRegistry, 'setStatus'>, audit: Audit): Handle {
  return async (request) => {
    const { id, tenantId } = namedSchema(request, 'write');
    const status = readStatusRequest(await request.readBody());
    const schema = (await registry.setStatus(id, tenantId, status)) ?? unknown(id);
    await audit.record(entryAbout(schema, request, actions[status]));
    return jsonReply({ success: true, schema_id: schema.id, new_status: schema.status });
  };
}

/** Removes one version; those before and after it stay, with their numbers. */
export function deleteSchema(registry: Pick<SchemaRegistry, 'remove'>, audit: Audit): Handle {
  return async (request) => {
    const { id, tenantId } = namedSchema(request, 'admin');
    const schema = (await registry.remove(id, tenantId)) ?? unknown(id);
    await audit.record(entryAbout(schema, request, 'schema_deleted'));
    return jsonReply({ success: true, deleted_schema_id: schema.id });
  };
}

/** All versions for one event type, newest first; with `version` that one alone. */
export function readEventTypeSchemas(schemas: Pick<Schemas, 'listVersions' | 'findVersion'>): Handle {
  return async (request) => {
    const subject = namedSubject(request);
    const version = request.query().u32('version', -1);
    if (version < 0) return listReply(request, await schemas.listVersions(subject, schemaListMax));
    const schema = await schemas.findVersion(subject, version);
    if (schema !== null) return jsonTextReply(`{"schema":${schemaText(schema)}}`);
    throw new Refused('NOT_FOUND', `event type ${subject.eventType} has no schema version ${version}`);
  };
}

/** The highest active version, by which payloads are judged. */
export function readLatestSchema(schemas: Pick<Schemas, 'findActive'>): Handle {
  return async (request) => {
    const subject = namedSubject(request);
    const schema = await schemas.findActive(subject);
    if (schema !== null) return jsonTextReply(schemaText(schema));
    throw new Refused('NOT_FOUND', `event type ${subject.eventType} has no active schema`);
  };
}

/** Judges a payload as ingest would, and stores nothing. */
export function validatePayload(registry: Pick<SchemaRegistry, 'judge'>): Handle {
  return async (request) => {
    const { payload, version, ...subject } = readJudgementRequest(await request.readBody());
    permitOnTenant(request, 'read', subject.tenantId);
    const { schema, errors } = await registry.judge(subject, version, payload);
    return jsonReply({
      valid: errors.length === 0,
      schemaId: schema?.id ?? null,
      schemaVersion: schema?.version ?? null,
      errors,
    });
  };
}

/** Schemas belong to a tenant and to no store, so a list of stores does not restrict anyone. */
function permitOnTenant({ principal }: ProtectedRequest, permission: Permission, tenantId: TenantId): void {
  permit(principal, permission, { tenantId, storeId: nilUuid });
}

/**
 * The schema that the path names, and the tenant whose it must be; null for the bootstrap administrator. Of another tenant's a
 * caller learns as much as of one that does not exist.
 */
function namedSchema(
  request: ProtectedRequest,
  permission: Permission,
): { id: RegisteredSchema['id']; tenantId: TenantId | null } {
  const { principal } = request;
  const id = pathUuid(request, 'schema_id');
  permitOnTenant(request, permission, principal.tenantId);
  return { id, tenantId: tenantLimitOf(principal) };
}

function tenantLimitOf(principal: Principal): TenantId | null {
  return isBootstrapAdmin(principal) ? null : principal.tenantId;
}

/** The event type of the path, which the query may repeat. */
function namedSubject(request: ProtectedRequest): SchemaSubject {
  const eventType = request.pathParameter('event_type');
  const query = request.query();
  const repeated = query.optionalText('event_type', nameLimits.eventType.bytesMax);
  if (repeated !== null && repeated !== eventType) {
    throw new Refused('INVALID_QUERY', 'the query parameter event_type is not the event type of the path');
  }
  const tenantId = query.uuid('tenant_id');
  permitOnTenant(request, 'read', tenantId);
  checkEventType(eventType);
  return { tenantId, eventType };
}

const actions: Readonly<Record<SchemaStatus, AuditAction>> = {
  active: 'schema_activated',
  deprecated: 'schema_deprecated',
  archived: 'schema_updated',
};

function entryAbout(
  { id, tenantId, eventType, version, status, compatibility }: RegisteredSchema,
  request: ProtectedRequest,
  action: AuditAction,
): NewAuditEntry {
  return {
    ...originOf(request),
    action,
    tenantId,
    resourceType: 'schema',
    resourceId: id,
    details: { eventType, version, status, compatibility },
    success: true,
    errorMessage: null,
  };
}

function unknown(id: string): never {
  throw new Refused('NOT_FOUND', `there is no schema ${id}`);
}

function listReply(request: ProtectedRequest, schemas: readonly RegisteredSchema[]): Reply {
  // Each is held twice: as a row, and in the answer.
  request.reserve(schemas.reduce((bytes, { json }) => bytes + 2 * (json.length + rowOverheadBytes), 0));
  const texts = schemas.map(schemaText);
  return jsonTextReply(`{"schemas":[${texts.join(',')}],"count":${texts.length}}`);
}

const rowOverheadBytes = 1_024;

/** The schema goes out as it came in, numbers as they were written. */
function schemaText(schema: RegisteredSchema): string {
  const { id, tenantId, eventType, version, json, status, compatibility, description, createdBy } = schema;
  const head = JSON.stringify({ id, tenantId, eventType, version }).slice(0, -1);
  const tail = JSON.stringify({
    status,
    compatibility,
    description,
    createdAt: formatTimestamp(schema.createdAt, '+00:00'),
    updatedAt: formatTimestamp(schema.updatedAt, '+00:00'),
    createdBy,
  }).slice(1);
  return `${head},"schemaJson":${json},${tail}`;
}
