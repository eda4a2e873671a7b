import type { TenantId } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const countSchemaEventTypes: Query<TenantId, number> = {
  name: 'count_schema_event_types',
  text: `select count(distinct event_type) as count from schemas where tenant_id = $1`,
  values: (tenantId) => [tenantId],
  row: (columns) => columns.count as number,
};
