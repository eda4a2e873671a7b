import pg from 'pg';
import type { StoreKey } from '../../domain/types.ts';
import { batchOf, checkLog, newStore, randomEvent } from '../support/event-log.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

describe.each(serverNames)('claims on %s', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    opened = await openTestLog(database.url, { lockTimeoutMs: 2_500 });
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  /** A session that has locked the store's row in a transaction and does nothing more. */
  const openStuckSession = async (store: StoreKey, applicationName: string) => {
    const client = new pg.Client({ connectionString: database.url, application_name: applicationName });
    const ended = new Promise<'ended'>((resolve) => client.on('end', () => resolve('ended')));
    client.on('error', () => undefined); // Being ended is what the test is about.
    await client.connect();
    await client.query('begin');
    await client.query('select from streams where tenant_id = $1 and store_id = $2 for update', [
      store.tenantId,
      store.storeId,
    ]);
    return { client, ended };
  };

  test('a claim takes over from a session of ours that is stuck in a transaction', async () => {
    const { log } = opened;
    const store = newStore();
    await log.claim(store, 'node-1');
    const stuck = await openStuckSession(store, 'stateset-sequencer-other-node');
    const start = performance.now();
    await expect(log.claim(store, 'node-2')).resolves.toMatchObject({ epoch: 2 });
    expect(performance.now() - start).toBeGreaterThan(900);
    await expect(stuck.ended).resolves.toBe('ended');
  });

  test('claims that wait for one another end only the session that keeps all of them waiting', async () => {
    const { log } = opened;
    const other = await openTestLog(database.url);
    try {
      const store = newStore();
      await log.claim(store, 'node-1');
      const stuck = await openStuckSession(store, 'stateset-sequencer');
      const claims = await Promise.all([log.claim(store, 'node-2'), other.log.claim(store, 'node-3')]);
      expect(claims.map(({ epoch }) => epoch).sort()).toEqual([2, 3]);
      await expect(stuck.ended).resolves.toBe('ended');
    } finally {
      await other.close();
    }
  });

  test('a session of another application is left alone, and the claim is refused', async () => {
    const { log } = opened;
    const store = newStore();
    await log.claim(store, 'node-1');
    const stuck = await openStuckSession(store, 'psql');
    await expect(log.claim(store, 'node-2')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await stuck.client.query('rollback');
    await stuck.client.end();
    await expect(log.claim(store, 'node-2')).resolves.toMatchObject({ epoch: 2 });
  });

  test('nodes that claim and append the same stores in opposite orders never deadlock', async () => {
    const other = await openTestLog(database.url);
    const nodes = [opened.log, other.log];
    const stores = Array.from({ length: 20 }, newStore);
    const stored = new Map(stores.map((store) => [store, [] as string[]]));
    try {
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(
          nodes.flatMap((log, node) =>
            (node === 0 ? stores : stores.toReversed()).map(async (store) => {
              const claim = await log.claim(store, `node-${node}`);
              const event = randomEvent();
              const outcome = await log.append(batchOf(claim, claim.heads.legacy, [event]));
              if (outcome.kind === 'appended') stored.get(store)?.push(event.eventId);
            }),
          ),
        );
      }
      for (const [store, eventIds] of stored) await checkLog(opened.log, store, eventIds as never[]);
      expect([...stored.values()].flat().length).toBeGreaterThan(0);
    } finally {
      await other.close();
    }
  });
});
