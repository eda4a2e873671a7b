import type { Head, Heads, StoreKey } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const heads: Query<StoreKey, Heads> = {
  name: 'heads',
  text: `select legacy_head, ves_head from streams where tenant_id = $1 and store_id = $2`,
  values: ({ tenantId, storeId }) => [tenantId, storeId],
  row: (columns) => ({ legacy: columns.legacy_head as Head, ves: columns.ves_head as Head }),
};
