import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { newStore } from '../support/event-log.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { ingestBody } from '../support/open-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

const nodes = new TestNodes();
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await nodes.stop();
  await database.drop();
});

function post(node: NodeProcess, tenantId: string, storeId: string): Promise<Response> {
  return fetch(`${node.url}/api/v1/events/ingest`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
    body: ingestBody({ tenantId, storeId }),
  });
}

test('a request for a store too many gets 429 QUOTA_EXCEEDED, and stores that exist are served', async () => {
  const node = await nodes.start({ DATABASE_URL: database.url, MAX_STORES_PER_TENANT: '2' });
  const tenantId = randomUUID();
  const [one = '', two = '', three = ''] = [1, 2, 3].map(() => randomUUID());
  expect((await post(node, tenantId, one)).status).toBe(200);
  expect((await post(node, tenantId, two)).status).toBe(200);
  for (let time = 0; time < 2; time += 1) {
    const refused = await post(node, tenantId, three);
    expect([refused.status, refused.headers.get('x-error-code'), refused.headers.get('retry-after')]).toEqual(
      [429, 'QUOTA_EXCEEDED', null],
    );
    expect(await refused.json()).toEqual({
      error: {
        code: 'QUOTA_EXCEEDED',
        numeric_code: 2002,
        message: expect.stringMatching(/^tenant .* has the 2 stores .* MAX_STORES_PER_TENANT$/),
      },
    });
  }
  expect((await post(node, tenantId, one)).status).toBe(200);
  expect((await post(node, randomUUID(), three)).status).toBe(200);
  await node.stop();

  const generous = await nodes.start({ DATABASE_URL: database.url, MAX_STORES_PER_TENANT: '3' });
  expect((await post(generous, tenantId, three)).status).toBe(200);
  await generous.stop();
});

test('many nodes that make stores at once do not pass the bound by much, and not again', async () => {
  const storesPerTenantMax = 100;
  const logs: OpenedLog[] = [];
  for (let node = 0; node < 4; node += 1) logs.push(await openTestLog(database.url, { storesPerTenantMax }));
  const pool = new pg.Pool({ connectionString: database.url });
  try {
    const { tenantId } = newStore();
    const claimMany = (times: number) =>
      Promise.allSettled(
        Array.from({ length: times }, (_, time) =>
          logs[time % logs.length]!.log.claim({ ...newStore(), tenantId }, `node-${time % logs.length}`),
        ),
      );
    const count = async () =>
      Number(
        (await pool.query<{ count: string }>('select count(*) from streams where tenant_id = $1', [tenantId]))
          .rows[0]?.count,
      );
    for (let round = 0; round < 12; round += 1) await claimMany(12);
    const full = await count();
    expect(full).toBeGreaterThanOrEqual(storesPerTenantMax);
    expect(full).toBeLessThanOrEqual(storesPerTenantMax + 3 * 12);
    await claimMany(40);
    expect(await count()).toBe(full);
  } finally {
    await pool.end();
    await Promise.all(logs.map((log) => log.close()));
  }
});
