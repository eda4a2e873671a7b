import type { IndexState } from '../../diagnosis.ts';
import type { Query } from '../query.ts';

export const indexStates: Query<null, IndexState> = {
  name: 'index_states',
  text: `
    select c.relname::text as name, t.relname::text as table_name, i.indisvalid and i.indisready as is_valid,
           i.indisunique as is_unique, coalesce(s.idx_scan, 0) as scans, pg_relation_size(c.oid) as bytes
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_class t on t.oid = i.indrelid
      left join pg_stat_user_indexes s on s.indexrelid = i.indexrelid
     where c.relnamespace = current_schema()::regnamespace
     order by c.relname`,
  values: () => [],
  row: (columns) => ({
    name: columns.name as string,
    table: columns.table_name as string,
    isValid: columns.is_valid as boolean,
    isUnique: columns.is_unique as boolean,
    scans: columns.scans as number,
    bytes: columns.bytes as number,
  }),
};
