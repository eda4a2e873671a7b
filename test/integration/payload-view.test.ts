import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

describe.each(serverNames)('payloads for people on %s', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    opened = await openTestLog(database.url);
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  test('a payload is jsonb where jsonb can hold it, and null where it can not', async () => {
    const store = newStore();
    const payloads = [
      '{"total": 1.50, "note": "größe"}',
      'null',
      '"\\u0000"',
      '1e400000',
      '{"before": "\\ud83d"}',
      '9007199254740993',
      `${'['.repeat(120)}${']'.repeat(120)}`,
    ];
    const events = payloads.map((payload) => randomEvent({ payload: Buffer.from(payload) }));
    const claim = await opened.log.claim(store, 'node-1');
    await opened.log.append(batchOf(claim, 0, events));
    const { rows } = await opened.pool.query<Record<'sequence' | 'text' | 'total', string | null>>(
      `select sequence, payload::text as text, payload ->> 'total' as total from legacy_events_readable
        where tenant_id = $1 and store_id = $2 order by sequence`,
      [store.tenantId, store.storeId],
    );
    expect(rows.map(({ text }) => text)).toEqual([
      '{"note": "größe", "total": 1.50}',
      'null',
      null,
      null,
      null,
      '9007199254740993',
      `${'['.repeat(120)}${']'.repeat(120)}`,
    ]);
    expect(rows[0]!.total).toBe('1.50');
  });
});
