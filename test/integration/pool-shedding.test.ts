import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ingestBody } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { openVesNode } from '../support/ves-node.ts';

const agentId = '0190c1a5-0000-7000-8000-000000000001';

test('reads that hang exhaust the pool: others are turned away, and let in again when they are done', async () => {
  const database = await createTestDatabase();
  const node = await openVesNode(database.url, { env: { MAX_DB_CONNECTIONS: '3' } });
  const holder = new pg.Client({ connectionString: database.url, application_name: 'psql' });
  await holder.connect();
  try {
    const store = newStore();
    const body = ingestBody(store, agentId, [newEvent()]);
    expect((await node.send('POST', '/api/v1/events/ingest', body)).status).toBe(200);
    const of = `tenant_id=${store.tenantId}&store_id=${store.storeId}`;
    const read = () => node.send('GET', `/api/v1/events?${of}`);
    const metric = async (name: string): Promise<number> => {
      const { status, text } = await node.send('GET', '/metrics');
      expect(status).toBe(200); // Also while others are turned away.
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    };

    await holder.query('begin; lock table legacy_events in access exclusive mode');
    const hanging = Array.from({ length: 6 }, read);
    await until('a request is turned away', async () => (await metric('sequencer_pool_shedding')) === 1);
    for (const path of [`/api/v1/head?${of}`, '/api/v1/admin/stores', '/api/v1/schemas']) {
      expect(await node.send('GET', path)).toMatchObject({ status: 503, json: { code: 'pool_exhausted' } });
    }
    // Without a look at the credential, which might have to be looked up.
    const stranger = await node.send('GET', `/api/v1/head?${of}`, undefined, 'ss_unknown');
    expect(stranger.json.code).toBe('pool_exhausted');
    expect(await metric('sequencer_pool_shed_requests')).toBe(4);
    const response = await fetch(`${node.url}/api/v1/head?${of}`);
    expect(response.headers.get('retry-after')).toBe('1');

    await holder.query('rollback');
    expect((await Promise.all(hanging)).map(({ status }) => status)).toEqual(Array(6).fill(200));
    await until('requests are let in', async () => (await read()).status === 200, 3_000);
    expect(await metric('sequencer_pool_shedding')).toBe(0);
  } finally {
    await holder.end();
    await node.close();
    await database.drop();
  }
});

test('quick reads that use the whole pool turn nobody away', async () => {
  const database = await createTestDatabase();
  const node = await openVesNode(database.url, { env: { MAX_DB_CONNECTIONS: '2' } });
  try {
    const { tenantId, storeId } = newStore();
    const statuses = new Set<number>();
    let isOver = false;
    const readers = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const path = `/api/v1/head?tenant_id=${tenantId}&store_id=${storeId}`;
        statuses.add((await node.send('GET', path)).status);
      }
    });
    await sleep(3_000);
    isOver = true;
    await Promise.all(readers);
    expect([...statuses]).toEqual([200]);
  } finally {
    await node.close();
    await database.drop();
  }
});
