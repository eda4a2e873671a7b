import type { Query } from '../query.ts';

export const agentKeyRevision: Query<null, number> = {
  name: 'agent_key_revision',
  text: `select revision from revisions where name = 'agent_keys'`,
  values: () => [],
  row: (columns) => columns.revision as number,
};
