import type { RegisteredSchema } from '../../../domain/schema/schema.ts';
import type { TenantId, Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

interface SchemaRef {
  readonly id: Uuid;
  readonly tenantId: TenantId | null;
}

/** One row if there was such a schema. */
export const deleteSchema: Query<SchemaRef, RegisteredSchema> = {
  name: 'delete_schema',
  text: `
    delete from schemas
     where id = $1 and ($2::uuid is null or tenant_id = $2)
    returning ${schemaColumns}`,
  values: ({ id, tenantId }) => [id, tenantId],
  row: toSchema,
};
