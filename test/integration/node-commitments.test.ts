import pg from 'pg';
import type { StreamKey } from '../../domain/types.ts';
import { fillStream, newStream, worlds } from '../support/commitments.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const prefixes = { legacy: '/api/v1', ves: '/api/v1/ves' } as const;

let database: TestDatabase;
let pool: pg.Pool;
const nodes = new TestNodes();
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 3 });
});
afterAll(async () => {
  await nodes.stop();
  await pool.end();
  await database.drop();
});

async function call(url: string, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return response.json();
}

function commit(
  url: string,
  { tenantId, storeId, world }: StreamKey,
  start: number,
  end: number,
): Promise<any> {
  const range = { sequence_start: start, sequence_end: end };
  return call(url, 'POST', `${prefixes[world]}/commitments`, {
    tenant_id: tenantId,
    store_id: storeId,
    ...range,
  });
}

async function counts(): Promise<{ commitments: number; nodes: number }> {
  const { rows } = await pool.query<{ commitments: number; nodes: number }>(
    `select (select count(*)::integer from commitments) as commitments,
            (select count(*)::integer from commitment_nodes) as nodes`,
  );
  return rows[0]!;
}

test('killing a node in the middle of a commitment leaves nothing of it, and the next makes it', async () => {
  const stream = newStream('ves');
  await fillStream(pool, stream, 200_000);
  const before = await counts();
  const victim = await nodes.start({ DATABASE_URL: database.url });
  const lost = commit(victim.url, stream, 1, 200_000).then(
    () => 'answered',
    () => 'lost',
  );
  await until('nodes are being stored', async () => {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and query like '%insert into commitment_nodes%'
          and query not like '%pg_stat_activity%'`,
    );
    return rows.length > 0;
  });
  victim.kill('SIGKILL');
  await victim.ended;
  expect(await lost).toBe('lost');
  expect(await counts()).toEqual(before);

  const heir = await nodes.start({ DATABASE_URL: database.url });
  const made = await commit(heir.url, stream, 1, 200_000);
  expect(made).toMatchObject({ leaf_count: 200_000, tree_depth: 18, sequencer_key_version: 1 });
  const query = `tenant_id=${stream.tenantId}&store_id=${stream.storeId}&batch_id=${made.batch_id}`;
  const proof = await call(heir.url, 'GET', `/api/v1/ves/proofs/123456?${query}`);
  const { valid } = await call(heir.url, 'POST', '/api/v1/ves/proofs/verify', proof);
  expect(valid).toBe(true);
  await heir.stop();
});

test('a node that is set to commits by itself, in both worlds', async () => {
  const streams = worlds.map(newStream);
  for (const stream of streams) await fillStream(pool, stream, 30);
  const node = await nodes.start({ DATABASE_URL: database.url, COMMITMENT_EVERY_EVENTS: '10' });
  for (const { tenantId, storeId, world } of streams) {
    const path = `${prefixes[world]}/commitments?tenant_id=${tenantId}&store_id=${storeId}`;
    await until(`${world} is committed`, async () => (await call(node.url, 'GET', path)).count === 3);
  }
  await node.stop();
});
