import type { RegisteredSchema } from '../../../domain/schema/schema.ts';
import type { TenantId, Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

interface SchemaRef {
  readonly id: Uuid;
  /** Null for any. */
  readonly tenantId: TenantId | null;
}

export const findSchema: Query<SchemaRef, RegisteredSchema> = {
  name: 'find_schema',
  text: `
    select ${schemaColumns}
      from schemas
     where id = $1 and ($2::uuid is null or tenant_id = $2)`,
  values: ({ id, tenantId }) => [id, tenantId],
  row: toSchema,
};
