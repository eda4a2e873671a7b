import type { RegisteredSchema, SchemaSubject } from '../../../domain/schema/schema.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

interface SchemaVersion extends SchemaSubject {
  /** Null for the highest active one. */
  readonly version: number | null;
}

export const findSchemaVersion: Query<SchemaVersion, RegisteredSchema> = {
  name: 'find_schema_version',
  text: `
    select ${schemaColumns}
      from schemas
     where tenant_id = $1 and event_type = $2
       and case when $3::bigint is null then status = 'active' else version = $3 end
     order by version desc
     limit 1`,
  values: ({ tenantId, eventType, version }) => [tenantId, eventType, version],
  row: toSchema,
};
