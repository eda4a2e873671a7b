import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { describeEventLog, storesPerTenantMax } from './event-log.contract.ts';

describe.each(serverNames)('the log in Postgres (%s)', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    // A small step, so that the suite also meets versions that are partly counted ahead.
    opened = await openTestLog(database.url, { countEveryEvents: 3, storesPerTenantMax });
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  describeEventLog(() => opened.log);
});
