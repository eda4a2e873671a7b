import pg from 'pg';
import type { Claim } from '../../storage/event-log.ts';
import { entityHash } from '../../storage/postgres/entity-hash.ts';
import { countEntities, startWatermark } from '../../storage/postgres/queries/count-entities.query.ts';
import { send } from '../../storage/postgres/query.ts';
import { until } from '../support/until.ts';
import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

describe.each(serverNames)('counting entities ahead on %s', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    opened = await openTestLog(database.url, { countEveryEvents: 10 });
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const entities = ['A', 'B', 'C'].map((entityId) => ({ entityType: 'order', entityId }));

  /** Appends 7 events of A, B, C, A, B … in turn after the head, and returns the new head. */
  const appendSome = async (claim: Claim, head: number): Promise<number> => {
    const events = Array.from({ length: 7 }, (_, index) => randomEvent(entities[(head + index) % 3]));
    await expect(opened.log.append(batchOf(claim, head, events))).resolves.toEqual({ kind: 'appended' });
    return head + events.length;
  };
  const expected = (head: number) => entities.map((_, index) => Math.ceil((head - index) / 3));
  const watermark = async (claim: Claim): Promise<number> => {
    const text = 'select legacy_sequence from entity_watermarks where store_number = $1';
    const { rows } = await opened.pool.query<{ legacy_sequence: string }>(text, [claim.storeNumber]);
    return Number(rows[0]?.legacy_sequence ?? 0);
  };

  test('versions are exact at every moment, however far the counting is', async () => {
    const claim = await opened.log.claim(newStore(), 'node-1');
    for (let head = 0; head < 100;) {
      head = await appendSome(claim, head);
      await expect(opened.log.entityVersions(claim, entities)).resolves.toEqual(expected(head));
    }
    await opened.log.countingSettled();
    expect(await watermark(claim)).toBeGreaterThanOrEqual(90);
  });

  test('two nodes that count the same store count each event once', async () => {
    const claim = await opened.log.claim(newStore(), 'node-1');
    let head = 0;
    while (head < 70) head = await appendSome(claim, head);
    const other = await openTestLog(database.url, { countEveryEvents: 1 });
    try {
      const events = [randomEvent(entities[head % 3])];
      await Promise.all([appendSomeElsewhere(other), other.log.append(batchOf(claim, head, events))]);
      await Promise.all([opened.log.countingSettled(), other.log.countingSettled()]);
      expect(await watermark(claim)).toBe(head + 1);
      await expect(opened.log.entityVersions(claim, entities)).resolves.toEqual(expected(head + 1));
    } finally {
      await other.close();
    }
  });

  const appendSomeElsewhere = async ({ log }: OpenedLog): Promise<void> => {
    const claim = await log.claim(newStore(), 'node-2');
    await log.append(batchOf(claim, 0, [randomEvent()]));
  };

  test('the counts are a help to memory: without them the answers are the same', async () => {
    const store = newStore();
    const claim = await opened.log.claim(store, 'node-1');
    let head = 0;
    while (head < 28) head = await appendSome(claim, head);
    await opened.log.countingSettled();
    const page = { offset: 2, limit: 3 };
    const before = await opened.log.readLegacyEntity(store, entities[0]!, page);
    await opened.pool.query('truncate entity_counts, entity_watermarks');
    await expect(opened.log.entityVersions(claim, entities)).resolves.toEqual(expected(head));
    await expect(opened.log.readLegacyEntity(store, entities[0]!, page)).resolves.toEqual(before);
    head = await appendSome(claim, head);
    await opened.log.countingSettled();
    expect(await watermark(claim)).toBe(head);
    await expect(opened.log.entityVersions(claim, entities)).resolves.toEqual(expected(head));
  });

  test('counting waits for a quiet moment', async () => {
    const claim = await opened.log.claim(newStore(), 'node-1');
    let head = 0;
    while (head < 28) head = await appendSome(claim, head);
    expect(await watermark(claim)).toBe(0);
    await until('all is counted', async () => (await watermark(claim)) === head);
  });

  test('a store that has come far is counted however busy the moment is', async () => {
    const busy = await openTestLog(database.url, { countEveryEvents: 10, countAtOnceEvents: 50 });
    try {
      const claim = await busy.log.claim(newStore(), 'node-1');
      let head = 0;
      const appendOne = async (): Promise<void> => {
        await busy.log.append(batchOf(claim, head, [randomEvent(entities[head % 3])]));
        head += 1;
      };
      while (head < 49) await appendOne();
      expect(await watermark(claim)).toBe(0);
      await until('the store is counted', async () => {
        await appendOne();
        return (await watermark(claim)) >= 50;
      });
      await expect(busy.log.entityVersions(claim, entities)).resolves.toEqual(expected(head));
    } finally {
      await busy.close();
    }
  });

  test('entities that share a hash are told apart', async () => {
    const store = newStore();
    const claim = await opened.log.claim(store, 'node-1');
    const head = await appendSome(claim, 0);
    const [mine, other] = [entities[0]!, entities[1]!];
    await opened.pool.query(
      'update legacy_events set entity_hash = $1 where store_number = $2 and entity_id = $3',
      [entityHash(mine).toString(), claim.storeNumber, other.entityId],
    );
    const check = async (): Promise<void> => {
      await expect(opened.log.entityVersions(claim, [mine])).resolves.toEqual([expected(head)[0]]);
      const { events, total } = await opened.log.readLegacyEntity(store, mine, { offset: 0, limit: 9 });
      expect(new Set(events.map(({ entityId }) => entityId))).toEqual(new Set([mine.entityId]));
      expect(events).toHaveLength(total);
    };
    await check();
    await send(opened.pool, startWatermark, { storeNumber: claim.storeNumber });
    await send(opened.pool, countEntities, { storeNumber: claim.storeNumber, eventsMax: 100 });
    await check();
  });

  test('counting that fails is made up for later', async () => {
    const claim = await opened.log.claim(newStore(), 'node-1');
    let head = 0;
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('alter table entity_counts rename to entity_counts_away');
    while (head < 20) head = await appendSome(claim, head);
    await opened.log.countingSettled();
    await client.query('alter table entity_counts_away rename to entity_counts');
    await client.end();
    expect(await watermark(claim)).toBe(0);
    while (head < 35) head = await appendSome(claim, head);
    await opened.log.countingSettled();
    expect(await watermark(claim)).toBeGreaterThanOrEqual(30);
    await expect(opened.log.entityVersions(claim, entities)).resolves.toEqual(expected(head));
  });
});
