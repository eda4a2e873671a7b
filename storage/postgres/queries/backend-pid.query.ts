import type { Query } from '../query.ts';

/** The process of Postgres that serves the transaction, whatever a pooler tells its clients. */
export const backendPid: Query<null, number> = {
  name: 'backend_pid',
  text: 'select pg_backend_pid() as pid',
  values: () => [],
  row: (columns) => columns.pid as number,
};
