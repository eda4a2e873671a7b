import type { Query } from '../query.ts';

/** Which server answers, and whether it follows another. */
export interface ServerFacts {
  /** The same for a primary and all that was ever copied from it. */
  readonly systemId: string;
  /** When the server was started; with the id, names the one that answers. */
  readonly startedAt: string;
  readonly isStandby: boolean;
  /** Where it is in the WAL, in bytes from its beginning: written on a primary, replayed on a standby. */
  readonly walPosition: number;
}

export const serverFacts: Query<null, ServerFacts> = {
  name: 'server_facts',
  text: `
    select (select system_identifier::text from pg_control_system()) as system_id,
           extract(epoch from pg_postmaster_start_time())::text as started_at, pg_is_in_recovery() as is_standby,
           coalesce(pg_wal_lsn_diff(
             case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
             '0/0'), 0)::bigint as wal_position`,
  values: () => [],
  row: (columns) => ({
    systemId: columns.system_id as string,
    startedAt: columns.started_at as string,
    isStandby: columns.is_standby as boolean,
    walPosition: columns.wal_position as number,
  }),
};
