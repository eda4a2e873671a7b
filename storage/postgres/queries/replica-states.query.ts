import type { ReplicaState } from '../../diagnosis.ts';
import type { Query } from '../query.ts';

/** What standbys have not replayed; on a standby, those that stream from it. */
export const replicaStates: Query<null, ReplicaState> = {
  name: 'replica_states',
  text: `
    select application_name as name, coalesce(state, 'unknown') as state,
           greatest(0, coalesce(pg_wal_lsn_diff(
             case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
             replay_lsn), 0))::bigint as lag_bytes,
           coalesce(extract(epoch from replay_lag), 0)::double precision as lag_secs
      from pg_stat_replication
     order by application_name, pid`,
  values: () => [],
  row: (columns) => ({
    name: columns.name as string,
    state: columns.state as string,
    lagBytes: columns.lag_bytes as number,
    lagSecs: columns.lag_secs as number,
  }),
};
