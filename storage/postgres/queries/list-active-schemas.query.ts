import type { TenantId, Uuid } from '../../../domain/types.ts';
import type { ActiveSchema } from '../../schemas.ts';
import type { Query } from '../query.ts';

interface ActiveSchemaPage {
  readonly tenantId: TenantId;
  readonly limit: number;
}

export const listActiveSchemas: Query<ActiveSchemaPage, ActiveSchema> = {
  name: 'list_active_schemas',
  text: `
    select distinct on (event_type) event_type, id, version
      from schemas
     where tenant_id = $1 and status = 'active'
     order by event_type, version desc
     limit $2`,
  values: ({ tenantId, limit }) => [tenantId, limit],
  row: (columns) => ({
    eventType: columns.event_type as string,
    id: columns.id as Uuid,
    version: columns.version as number,
  }),
};
