import type { Query } from '../query.ts';

export const apiKeyRevision: Query<null, number> = {
  name: 'api_key_revision',
  text: `select revision from revisions where name = 'api_keys'`,
  values: () => [],
  row: (columns) => columns.revision as number,
};
