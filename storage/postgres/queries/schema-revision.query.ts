import type { Query } from '../query.ts';

export const schemaRevision: Query<null, number> = {
  name: 'schema_revision',
  text: `select revision from revisions where name = 'schemas'`,
  values: () => [],
  row: (columns) => columns.revision as number,
};
