import type { ServerState } from '../../diagnosis.ts';
import type { Query } from '../query.ts';

/** Whether checkpoints are counted where Postgres counted them before version 17. */
export const checkpointsBefore17: Query<null, boolean> = {
  name: 'checkpoints_before_17',
  text: `select current_setting('server_version_num')::int < 170000 as before_17`,
  values: () => [],
  row: (columns) => columns.before_17 as boolean,
};

/** Settings in base units: `pg_settings` has sizes in blocks, kilobytes or megabytes. */
export function serverState(before17: boolean): Query<null, ServerState> {
  const checkpoints = before17
    ? 'select checkpoints_timed as timed, checkpoints_req as requested from pg_stat_bgwriter'
    : 'select num_timed as timed, num_requested as requested from pg_stat_checkpointer';
  return {
    name: before17 ? 'server_state_before_17' : 'server_state',
    text: `
      select current_setting('server_version_num')::int as version_number, current_setting('server_version') as version,
             pg_is_in_recovery() as is_standby,
             current_setting('fsync')::bool as fsync, current_setting('full_page_writes')::bool as full_page_writes,
             (select reset_val from pg_settings where name = 'synchronous_commit') as synchronous_commit,
             pg_size_bytes(current_setting('shared_buffers')) as shared_buffers,
             pg_size_bytes(current_setting('max_wal_size')) as max_wal_size,
             current_setting('wal_compression') as wal_compression,
             extract(epoch from current_setting('checkpoint_timeout')::interval)::int as checkpoint_timeout,
             current_setting('autovacuum')::bool as autovacuum, current_setting('track_counts')::bool as track_counts,
             current_setting('max_connections')::int as max_connections,
             (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
             current_setting('wal_level') as wal_level, current_setting('archive_mode') as archive_mode,
             coalesce((select last_failed_time > coalesce(last_archived_time, '-infinity')
                         from pg_stat_archiver), false) as archive_is_failing,
             c.requested as checkpoints_requested, c.timed + c.requested as checkpoints,
             coalesce(t.secs, 0)::double precision as longest_secs, coalesce(t.name, '') as longest_of,
             (extract(epoch from clock_timestamp()) * 1000)::double precision as clock_ms
        from (${checkpoints}) as c
        left join lateral (
          select extract(epoch from clock_timestamp() - xact_start) as secs,
                 format('process %s, %s, user %s, %s', pid, coalesce(nullif(application_name, ''), 'unnamed'), usename, state)
                   as name
            from pg_stat_activity
           where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
           order by xact_start
           limit 1) as t on true`,
    values: () => [],
    row: (columns) => ({
      versionNumber: columns.version_number as number,
      version: columns.version as string,
      isStandby: columns.is_standby as boolean,
      fsync: columns.fsync as boolean,
      fullPageWrites: columns.full_page_writes as boolean,
      synchronousCommit: columns.synchronous_commit as string,
      sharedBuffersBytes: columns.shared_buffers as number,
      maxWalSizeBytes: columns.max_wal_size as number,
      walCompression: columns.wal_compression as string,
      checkpointTimeoutSecs: columns.checkpoint_timeout as number,
      autovacuum: columns.autovacuum as boolean,
      trackCounts: columns.track_counts as boolean,
      maxConnections: columns.max_connections as number,
      connections: columns.connections as number,
      walLevel: columns.wal_level as string,
      archiveMode: columns.archive_mode as string,
      archiveIsFailing: columns.archive_is_failing as boolean,
      checkpointsRequested: columns.checkpoints_requested as number,
      checkpoints: columns.checkpoints as number,
      longestTransactionSecs: columns.longest_secs as number,
      longestTransactionOf: columns.longest_of as string,
      clockMs: columns.clock_ms as number,
    }),
  };
}
