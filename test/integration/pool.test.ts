import pg from 'pg';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { until } from '../support/until.ts';

describe.each(serverNames)('sessions on %s', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    // Settings in the URL neither replace ours nor are they lost.
    const url = `${database.url}?options=${encodeURIComponent('-c geqo=off -c statement_timeout=1')}`;
    opened = await openTestLog(url);
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const others = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: database.url, application_name: 'watcher' });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  test('every session has our limits, and commits durably whatever the default is', async () => {
    await others(`alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = off`);
    const { rows } = await opened.pool.query<Record<string, string>>(
      `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
              current_setting('idle_in_transaction_session_timeout') as idle, current_setting('geqo') as geqo,
              current_setting('synchronous_commit') as synchronous, current_setting('application_name') as name,
              current_setting('timezone') as timezone`,
    );
    expect(rows[0]).toEqual({
      statement: '30s',
      lock: '10s',
      idle: '1min',
      geqo: 'off',
      synchronous: 'on',
      name: 'stateset-sequencer',
      timezone: 'UTC',
    });
  });

  test('sessions that Postgres ends are replaced, and nothing crashes', async () => {
    await opened.log.ping();
    const ended = await others(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'stateset-sequencer'`,
    );
    expect(ended.length).toBeGreaterThanOrEqual(3); // Two lanes, and at least one of the pool.
    await until('the pool has noticed', () => opened.log.poolFigures().total === 0);
    await expect(opened.log.ping()).resolves.toBeDefined();
    expect(opened.log.poolFigures()).toMatchObject({ max: 5, total: 1, idle: 1, active: 0, waiting: 0 });
  });
});
