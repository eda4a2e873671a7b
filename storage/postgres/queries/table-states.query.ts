import type { TableState } from '../../diagnosis.ts';
import type { Query } from '../query.ts';

export const tableStates: Query<null, TableState> = {
  name: 'table_states',
  text: `
    select relname::text as name, n_live_tup as live_rows, n_dead_tup as dead_rows,
           extract(epoch from now() - greatest(last_vacuum, last_autovacuum))::double precision as vacuumed_secs_ago
      from pg_stat_user_tables
     where schemaname = current_schema()
     order by relname`,
  values: () => [],
  row: (columns) => ({
    name: columns.name as string,
    liveRows: columns.live_rows as number,
    deadRows: columns.dead_rows as number,
    vacuumedSecsAgo: columns.vacuumed_secs_ago as number | null,
  }),
};
