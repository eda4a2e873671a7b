import type { RegisteredSchema } from '../../../domain/schema/schema.ts';
import type { TenantId } from '../../../domain/types.ts';
import { schemaListBytesMax } from '../../schemas.ts';
import type { Query } from '../query.ts';
import { schemaColumns, toSchema } from '../schema-row.ts';

interface SchemaPage {
  readonly tenantId: TenantId;
  /** Null for all. */
  readonly eventType: string | null;
  readonly limit: number;
}

/** By event type, and then newest first. */
export const listSchemas: Query<SchemaPage, RegisteredSchema> = {
  name: 'list_schemas',
  text: `
    select ${schemaColumns}
      from (select *, sum(octet_length(schema_json)) over (order by event_type, version desc) as bytes_so_far
              from schemas
             where tenant_id = $1 and ($2::text is null or event_type = $2)
             order by event_type, version desc
             limit $3) as page
     where bytes_so_far - octet_length(schema_json) < $4
     order by event_type, version desc`,
  values: ({ tenantId, eventType, limit }) => [tenantId, eventType, limit, schemaListBytesMax],
  row: toSchema,
};
