import type { Compatibility, RegisteredSchema, SchemaStatus } from '../../domain/schema/schema.ts';
import type { Micros, TenantId, Uuid } from '../../domain/types.ts';

export const schemaColumns = `id, tenant_id, event_type, version, schema_json, description, compatibility, status,
  created_by, created_at, updated_at`;

export function toSchema(columns: Readonly<Record<string, unknown>>): RegisteredSchema {
  return {
    id: columns.id as Uuid,
    tenantId: columns.tenant_id as TenantId,
    eventType: columns.event_type as string,
    version: columns.version as number,
    json: columns.schema_json as string,
    description: columns.description as string | null,
    compatibility: columns.compatibility as Compatibility,
    status: columns.status as SchemaStatus,
    createdBy: columns.created_by as Uuid | null,
    createdAt: columns.created_at as Micros,
    updatedAt: columns.updated_at as Micros,
  };
}
