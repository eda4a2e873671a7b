import type { Query } from '../query.ts';

export interface BlockedSession {
  /** Of the session that waits for a lock. */
  readonly pid: number;
  /** Only sessions whose application name begins so, and of our own role, are ever ended. */
  readonly applicationName: string;
  /** Spares those whose transaction is younger. */
  readonly patienceMs: number;
  /** Those that stood in the way at the last look; only they are ended. */
  readonly suspectPids: readonly number[];
}

export interface BlockingSession {
  readonly pid: number;
  readonly state: string;
  readonly isEnded: boolean;
}

/**
 * The sessions at the root of what another session waits for, and the end of those that were so before. The sessions
 * in between wait as well and go on by themselves; and one that has just got what it waited for is as old as they are,
 * so being in the way once is no reason to be ended.
 *
 * Who is ended is decided in a materialised step: as one more condition, `pg_terminate_backend` would be tried on every
 * session that there is, since conditions have no order.
 */
export const endBlockers: Query<BlockedSession, BlockingSession> = {
  name: 'end_blockers',
  text: `
    with recursive blocking (pid) as (
      select unnest(pg_blocking_pids($1))
      union
      select unnest(pg_blocking_pids(blocking.pid)) from blocking),
    roots as materialized (
      select a.pid, coalesce(a.state, 'unknown') as state
        from blocking join pg_stat_activity a using (pid)
       where cardinality(pg_blocking_pids(a.pid)) = 0
         and a.usename = current_user and starts_with(a.application_name, $2)
         and a.xact_start < clock_timestamp() - make_interval(secs => $3::float8 / 1000))
    select pid, state, case when pid = any ($4::int[]) then pg_terminate_backend(pid) else false end as is_ended
      from roots`,
  values: ({ pid, applicationName, patienceMs, suspectPids }) => [
    pid,
    applicationName,
    patienceMs,
    suspectPids,
  ],
  row: (columns) => ({
    pid: columns.pid as number,
    state: columns.state as string,
    isEnded: columns.is_ended as boolean,
  }),
};
