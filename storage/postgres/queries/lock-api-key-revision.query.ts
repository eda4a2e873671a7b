import type { Query } from '../query.ts';

/** Holds every other change of API keys back until the transaction ends. */
export const lockApiKeyRevision: Query<null, unknown> = {
  name: 'lock_api_key_revision',
  text: `select revision from revisions where name = 'api_keys' for update`,
  values: () => [],
  row: (columns) => columns,
};
