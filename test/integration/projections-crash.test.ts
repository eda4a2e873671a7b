import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

const nodes = new TestNodes();
let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});
afterAll(async () => {
  await nodes.stop();
  await pool.end();
  await database.drop();
});

const [tenantId, storeId, agentId] = [randomUUID(), randomUUID(), randomUUID()];
const eventCount = 3_000;
const query = `tenant_id=${tenantId}&store_id=${storeId}`;

/** Stock of three products: each is counted once, refused a second count, and then adjusted by one again and again. */
function event(number: number): object {
  const isFirst = number < 6;
  return {
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    entity_type: 'inventory',
    entity_id: `SKU-${number % 3}`,
    event_type: isFirst ? 'inventory.initialized' : 'inventory.adjusted',
    payload: isFirst ? { quantity: 0 } : { delta: 1 },
    created_at: '2026-01-01T00:00:00Z',
    source_agent: agentId,
  };
}

async function send(node: NodeProcess, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(node.url + path, {
    method,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json().catch(() => null) };
}

async function contents(): Promise<unknown> {
  const entities = await pool.query(
    'select entity_id, version, last_sequence, state::text from projected_entities order by 1',
  );
  const deadLetters = await pool.query('select event_id, reason, status from dead_letter_events order by 1');
  const checkpoint = await pool.query(
    'select last_sequence, applied, refused, skipped from projection_checkpoints',
  );
  return [entities.rows, deadLetters.rows, checkpoint.rows];
}

const projectedTo = async (): Promise<number> =>
  Number((await pool.query('select last_sequence from projection_checkpoints')).rows[0]?.last_sequence ?? 0);

test('two nodes that are killed again and again while they project apply each event once', async () => {
  // Slow enough that every kill meets work.
  const env = { DATABASE_URL: database.url, PROJECTION_SHARE_PERCENT: '10' };
  const idle = await nodes.start({ ...env, PROJECTIONS_ENABLED: 'off' });
  for (let from = 0; from < eventCount; from += 500) {
    const events = Array.from({ length: 500 }, (_, index) => event(from + index));
    expect((await send(idle, 'POST', '/api/v1/events/ingest', { agent_id: agentId, events })).status).toBe(
      200,
    );
  }
  expect(await projectedTo()).toBe(0);
  await idle.stop();
  let kills = 0;
  for (let round = 0; round < 6 && (await projectedTo()) < eventCount; round++) {
    // The names differ, so one waits for the claim of the other to run out.
    const node = await nodes.start({ ...env, NODE_ID: `node-${round}` });
    const before = await projectedTo();
    await until('it projects', async () => (await projectedTo()) > before, 30_000);
    await sleep(Math.random() * 50);
    node.kill('SIGKILL');
    await node.ended;
    kills++;
  }
  expect(kills).toBeGreaterThan(2);
  const node = await nodes.start({ ...env, PROJECTION_SHARE_PERCENT: '100' });
  await until('all is projected', async () => (await projectedTo()) === eventCount, 30_000);
  for (const product of [0, 1, 2]) {
    const { json } = await send(node, 'GET', `/api/v1/projections/inventory/SKU-${product}?${query}`);
    const adjustments = eventCount / 3 - 2;
    expect(json).toMatchObject({
      version: adjustments + 1,
      projected_to: eventCount,
      rebuilding: false,
      state: { on_hand: adjustments, available: adjustments },
    });
  }
  const { json: list } = await send(node, 'GET', `/api/v1/admin/dead-letters?tenant_id=${tenantId}&limit=2`);
  expect(list).toMatchObject({ count: 2, deadLetters: [{ status: 'failed' }, { status: 'failed' }] });
  const rest = await send(node, 'GET', `/api/v1/admin/dead-letters?limit=2&after=${list.nextAfter}`);
  expect(rest.json).toMatchObject({ count: 1, nextAfter: null });
  const retried = await send(node, 'POST', `/api/v1/admin/dead-letters/${list.deadLetters[0].id}/retry`);
  expect(retried.json).toMatchObject({ success: false, deadLetter: { status: 'failed', retryCount: 1 } });
  const [progress] = (await send(node, 'GET', '/api/v1/admin/projections')).json;
  expect(progress).toMatchObject({ projectionLag: 0, applied: eventCount - 3, refused: 3, deadLetters: 3 });
  await node.stop();

  const before = await contents();
  const environment = { DATABASE_URL: database.url, DATA_DIR: nodes.folder };
  const rebuilt = await runCli(['projections', 'rebuild', '--tenant-id', tenantId], environment);
  expect(rebuilt).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`applied ${eventCount - 3}, refused 3`),
  });
  expect(await contents()).toEqual(before);
  const listed = await runCli(['dead-letters', 'list'], environment);
  const id = listed.stdout.slice(0, 36);
  expect(listed.stdout.trim().split('\n')).toHaveLength(3);
  expect(await runCli(['dead-letters', 'retry', id], environment)).toMatchObject({ code: 1 });
  expect(await runCli(['dead-letters', 'discard', id], environment)).toMatchObject({ code: 0 });
  expect(await runCli(['dead-letters', 'discard', id], environment)).toMatchObject({ code: 1 });
  expect((await runCli(['projections', 'status'], environment)).stdout).toContain('lag 0');
  const stalled = await runCli(['projections', 'status', '--stalled'], environment);
  expect(stalled.stdout).toBe('No stream stands still.\n');
  const audited = await pool.query(
    'select action from audit_log where resource_type in ($1, $2) order by id',
    ['dead_letter', 'projections'],
  );
  expect(audited.rows.map(({ action }) => action)).toEqual([
    'dead_letter_retried',
    'projections_rebuilt',
    'dead_letter_retried',
    'dead_letter_purged',
  ]);
}, 180_000);
