import type { RegisteredSchema, SchemaStatus } from '../../../domain/schema/schema.ts';
import type { TenantId, Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

interface StatusChange {
  readonly id: Uuid;
  readonly tenantId: TenantId | null;
  readonly status: SchemaStatus;
}

/** One row if there is such a schema. */
export const setSchemaStatus: Query<StatusChange, RegisteredSchema> = {
  name: 'set_schema_status',
  text: `
    update schemas set status = $3, updated_at = now()
     where id = $1 and ($2::uuid is null or tenant_id = $2)
    returning ${schemaColumns}`,
  values: ({ id, tenantId, status }) => [id, tenantId, status],
  row: toSchema,
};
