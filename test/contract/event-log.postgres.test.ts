import { randomBytes } from 'node:crypto';
import { noMasterKeys } from '../../storage/payloads/master-keys.ts';
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { describeEventLog, storesPerTenantMax } from './event-log.contract.ts';

const encryptions = {
  'as they come': { mode: 'disabled', masterKeys: noMasterKeys },
  encrypted: { mode: 'required', masterKeys: { general: [randomBytes(32)], byTenant: new Map() } },
} as const;
const cases = serverNames.flatMap((server) =>
  (['as they come', 'encrypted'] as const).map((payloads) => [server, payloads] as const),
);

describe.each(cases)('the log in Postgres (%s), payloads %s', (server, payloads) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    // A small step, so that the suite also meets versions that are partly counted ahead.
    opened = await openTestLog(database.url, {
      countEveryEvents: 3,
      storesPerTenantMax,
      encryption: encryptions[payloads],
    });
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  describeEventLog(() => opened.log);
});

describe('the log in Postgres, through a pooler that shares sessions by transaction', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase('debian');
    // Fewer sessions than the log has connections, so that they do change hands.
    bouncer = await startPgBouncer(database.url, ['default_pool_size = 3']);
    opened = await openTestLog(bouncer.url, {
      pooler: 'transaction',
      countEveryEvents: 3,
      storesPerTenantMax,
      encryption: encryptions.encrypted,
    });
  });

  afterAll(async () => {
    await opened.close();
    await bouncer.stop();
    await database.drop();
  });

  describeEventLog(() => opened.log);
});
