import type { Query } from '../query.ts';

/** What decides whether a commit on this server survives a crash. */
export interface ServerSettings {
  /** As `150004`. */
  readonly versionNumber: number;
  readonly version: string;
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  readonly isStandby: boolean;
  /** Of this session. */
  readonly statementTimeoutMs: number;
}

export const serverSettings: Query<null, ServerSettings> = {
  name: 'server_settings',
  text: `
    select current_setting('server_version_num')::int as version_number, current_setting('server_version') as version,
           current_setting('fsync')::bool as fsync, current_setting('full_page_writes')::bool as full_page_writes,
           pg_is_in_recovery() as is_standby,
           (select setting::bigint from pg_settings where name = 'statement_timeout') as statement_timeout_ms`,
  values: () => [],
  row: (columns) => ({
    versionNumber: columns.version_number as number,
    version: columns.version as string,
    fsync: columns.fsync as boolean,
    fullPageWrites: columns.full_page_writes as boolean,
    isStandby: columns.is_standby as boolean,
    statementTimeoutMs: columns.statement_timeout_ms as number,
  }),
};
