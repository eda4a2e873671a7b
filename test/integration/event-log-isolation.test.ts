import pg from 'pg';
import { batchOf, checkLog, newStore, randomEvent, sha256 } from '../support/event-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

let database: TestDatabase;
let opened: OpenedLog;

beforeAll(async () => {
  database = await createTestDatabase();
  // One lane, so that all stores share its statements.
  opened = await openTestLog(database.url, { appendConnections: 1, appendTimeoutMs: 4_000 });
});

afterAll(async () => {
  await opened.close();
  await database.drop();
});

const claimMany = (count: number) =>
  Promise.all(Array.from({ length: count }, () => opened.log.claim(newStore(), 'node-1')));

test('a batch that Postgres can not store fails alone', async () => {
  const { log } = opened;
  const claims = await claimMany(9);
  const bad = [
    randomEvent({ entityId: 'a\0b' }), // Text can't hold U+0000.
    randomEvent({ payloadHash: sha256(Buffer.from('x')).slice(1) as never }), // A check constraint.
    randomEvent({ createdAt: -(1n << 62n) as never }), // Before Postgres' calendar.
    randomEvent({ baseVersion: 1n << 64n }), // Has no binary form.
  ];
  const events = claims.map((_, index) => (index % 2 === 1 ? bad[(index - 1) / 2]! : randomEvent()));
  const outcomes = await Promise.allSettled(
    claims.map((claim, index) => log.append(batchOf(claim, 0, [events[index]!]))),
  );
  for (const [index, outcome] of outcomes.entries()) {
    if (index % 2 === 0) expect(outcome).toEqual({ status: 'fulfilled', value: { kind: 'appended' } });
    else
      expect({ index, ...outcome }).toMatchObject({
        index,
        status: 'rejected',
        reason: { code: 'APPEND_REFUSED' },
      });
    await checkLog(log, claims[index]!, index % 2 === 0 ? [events[index]!.eventId] : []);
  }
});

test('a fence row that someone holds delays its own store only', async () => {
  const { log } = opened;
  const [held, ...free] = await claimMany(6);
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from streams where store_number = $1 for update', [held!.storeNumber]);

  const late = log.append(batchOf(held!, 0, [randomEvent()]));
  await Promise.all(free.map((claim) => log.append(batchOf(claim, 0, [randomEvent()]))));
  await holder.query('commit');
  await expect(late).resolves.toEqual({ kind: 'appended' });

  await holder.query('begin');
  await holder.query('select from streams where store_number = $1 for update', [held!.storeNumber]);
  const refused = log.append(batchOf(held!, 1, [randomEvent()]));
  await expect(refused).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await holder.end();
});

test('a statement takes no more than its bounds, and a larger batch goes through alone', async () => {
  const small = await openTestLog(database.url, {
    appendConnections: 1,
    flushEventsMax: 5,
    flushBytesMax: 10_000,
  });
  try {
    const claims = await claimMany(12);
    const batches = claims.map((claim, index) =>
      batchOf(
        claim,
        0,
        Array.from({ length: index === 3 ? 20 : 2 }, () =>
          randomEvent({ payload: Buffer.from(JSON.stringify('x'.repeat(index === 5 ? 50_000 : 10))) }),
        ),
      ),
    );
    const outcomes = await Promise.all(batches.map((batch) => small.log.append(batch)));
    expect(outcomes).toEqual(batches.map(() => ({ kind: 'appended' })));
    const { rows } = await opened.pool.query<{ events: string; statements: string }>(
      `select count(*) as events, count(distinct xmin::text) as statements from legacy_events
        where store_number = any ($1)`,
      [claims.map(({ storeNumber }) => storeNumber)],
    );
    expect(Number(rows[0]!.events)).toBe(12 * 2 + 18);
    // The first goes alone, then 5 events allow two batches of 2 at most.
    expect(Number(rows[0]!.statements)).toBeGreaterThanOrEqual(6);
  } finally {
    await small.close();
  }
});

describe('dead rows', () => {
  const statistics = async (table: string) => {
    await opened.pool.query('select pg_stat_force_next_flush()');
    const { rows } = await opened.pool.query<Record<'dead' | 'updates' | 'hot', string>>(
      `select n_dead_tup as dead, n_tup_upd as updates, n_tup_hot_upd as hot from pg_stat_user_tables
        where relname = $1`,
      [table],
    );
    return { dead: Number(rows[0]!.dead), updates: Number(rows[0]!.updates), hot: Number(rows[0]!.hot) };
  };

  test('a flood of repeats that are looked up first leaves none', async () => {
    const { log } = opened;
    const [claim] = await claimMany(1);
    const events = Array.from({ length: 200 }, () => randomEvent());
    await log.append(batchOf(claim!, 0, events));
    const before = await statistics('legacy_events');
    for (let round = 0; round < 20; round += 1) {
      const found = await log.findEvents(
        claim!,
        events.map(({ eventId }) => eventId),
      );
      expect(found.size).toBe(200);
    }
    // One that is not looked up shows what the look-ups save.
    await expect(log.append(batchOf(claim!, 200, [randomEvent(), ...events]))).resolves.toEqual({
      kind: 'conflict',
    });
    await opened.log.close(); // Sessions report what they did at the latest when they end.
    const after = await statistics('legacy_events');
    expect(after.dead - before.dead).toBeLessThanOrEqual(3);
    opened = await openTestLog(database.url, { appendConnections: 1, appendTimeoutMs: 4_000 });
  });

  test('appends update fence rows in place', async () => {
    const { log } = opened;
    const [claim] = await claimMany(1);
    for (let head = 0; head < 300; head += 1) await log.append(batchOf(claim!, head, [randomEvent()]));
    await opened.log.close();
    const { updates, hot } = await statistics('streams');
    expect(updates).toBeGreaterThan(300);
    expect(hot / updates).toBeGreaterThan(0.95);
    const size = await opened.pool.query<{ bytes: string }>("select pg_relation_size('streams') as bytes");
    expect(Number(size.rows[0]!.bytes)).toBeLessThan(100_000);
    opened = await openTestLog(database.url, { appendConnections: 1 });
  });
});
