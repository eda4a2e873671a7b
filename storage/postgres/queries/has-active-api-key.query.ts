import type { Query } from '../query.ts';

export const hasActiveApiKey: Query<null, boolean> = {
  name: 'has_active_api_key',
  text: `select exists (select from api_keys where active) as found`,
  values: () => [],
  row: (columns) => columns.found as boolean,
};
