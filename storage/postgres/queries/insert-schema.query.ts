import type { NewSchema, RegisteredSchema } from '../../../domain/schema/schema.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

/** One row, unless the version is not the next: of two that register at once, the unique index lets one through. */
export const insertSchema: Query<NewSchema, RegisteredSchema> = {
  name: 'insert_schema',
  text: `
    insert into schemas (tenant_id, event_type, version, schema_json, description, compatibility, created_by)
    select $1::uuid, $2::text, $3::integer, $4::text, $5::text, $6::text, $7::uuid
     where $3 = (select coalesce(max(version), 0) + 1 from schemas where tenant_id = $1 and event_type = $2)
    on conflict do nothing
    returning ${schemaColumns}`,
  values: ({ tenantId, eventType, version, json, description, compatibility, createdBy }) => [
    tenantId,
    eventType,
    version,
    json,
    description,
    compatibility,
    createdBy,
  ],
  row: toSchema,
};
