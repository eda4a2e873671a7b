import pg from 'pg';
import { ingestBody, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { type Answer, openVesNode, type VesNode } from '../support/ves-node.ts';
import { claims, signToken, tokenSecret } from '../support/web-tokens.ts';

const agentId = '0190c1a5-0000-7000-8000-000000000001';
const failuresMax = 5;
/** A third of it is how long an append waits for Postgres before it is refused. */
const appendTimeoutMs = 3_000;
/** What answers without asking takes, on a busy machine. */
const atOnceMs = 2_000;

const token = signToken(claims({ sub: bootstrapAdmin.tenantId, perms: 'read,write,admin' }));

let database: TestDatabase;
let proxy: TcpProxy;
let node: VesNode;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.open(database.url);
  node = await openVesNode(proxy.url, {
    env: {
      JWT_SECRET: tokenSecret,
      APPEND_TIMEOUT_MS: String(appendTimeoutMs),
      CIRCUIT_FAILURES_MAX: String(failuresMax),
    },
  });
});
afterEach(async () => {
  proxy.goUp();
  await node.close();
  await proxy.close();
  await database.drop();
});

/** With a token, which is good without a look into the database. */
async function send(method: string, path: string, body?: string): Promise<Answer> {
  const response = await fetch(node.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, text, json: isJson ? JSON.parse(text) : null };
}

function append(store: StoreName, event = newEvent()): Promise<Answer> {
  return send('POST', '/api/v1/events/ingest', ingestBody(store, agentId, [event]));
}

function readHead({ tenantId, storeId }: StoreName): Promise<Answer> {
  return send('GET', `/api/v1/head?tenant_id=${tenantId}&store_id=${storeId}`);
}

async function metric(name: string, label: string): Promise<number> {
  const { text } = await send('GET', '/metrics');
  return Number(new RegExp(`^sequencer_${name}\\{${label}\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

const stateOf = (circuit: string): Promise<number> => metric('circuit_breaker_state', `circuit="${circuit}"`);

async function timed(call: () => Promise<Answer>): Promise<{ status: number; tookMs: number }> {
  const startMs = performance.now();
  const { status } = await call();
  return { status, tookMs: performance.now() - startMs };
}

test('while Postgres is away, appends and reads are refused at once; nothing was stored, and service returns by itself', async () => {
  const stores = Array.from({ length: failuresMax + 1 }, newStore);
  for (const store of stores) expect((await append(store)).status).toBe(200);
  expect([await stateOf('append'), await stateOf('database')]).toEqual([0, 0]);

  proxy.goDown();
  // An append that is sent on a connection whose loss was not noticed yet would be unknown, and rightly so.
  await until('it is noticed', async () => (await send('GET', '/ready')).status === 503);
  const first = await Promise.all(stores.map((store) => timed(() => append(store))));
  expect(first.map(({ status }) => status)).toEqual(stores.map(() => 503));
  // They were kept for as long as there was hope.
  expect(Math.max(...first.map(({ tookMs }) => tookMs))).toBeGreaterThan(appendTimeoutMs / 3 - 50);
  expect(await metric('circuit_breaker_opened', 'circuit="append"')).toBe(1);
  // The first calls after a pause are probes, which wait; all others are answered at once.
  const next = await Promise.all(Array.from({ length: 20 }, () => timed(() => append(stores[0]!))));
  expect(next.map(({ status }) => status)).toEqual(next.map(() => 503));

  await until('reads are refused unasked', async () => {
    expect((await readHead(stores[0]!)).status).toBe(503);
    return (await metric('circuit_breaker_rejections', 'circuit="database"')) > 0;
  });
  const reads = await Promise.all(Array.from({ length: 10 }, () => timed(() => readHead(stores[0]!))));
  expect(Math.max(...reads.map(({ tookMs }) => tookMs))).toBeLessThan(atOnceMs);
  expect((await send('GET', '/ready')).status).toBe(503);
  const { json: health } = await send('GET', '/health/detailed');
  expect(health.components.circuit_breakers.map(({ name }: { name: string }) => name)).toEqual([
    'database',
    'append',
  ]);

  proxy.goUp();
  const backMs = performance.now();
  await until('it is ready', async () => (await send('GET', '/ready')).status === 200);
  await until('events are appended', async () => (await append(stores[0]!)).status === 200);
  console.log(`appends are acknowledged ${Math.round(performance.now() - backMs)} ms after the way is free`);
  expect(performance.now() - backMs).toBeLessThan(8_000);
  await until('the circuits are closed', async () => {
    await Promise.all(stores.flatMap((store) => [append(store), readHead(store)]));
    return (await stateOf('append')) + (await stateOf('database')) === 0;
  });

  // What was refused is not there: heads are what was acknowledged; and no store was claimed again for a refusal.
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ epoch: string; head: string; events: string }>(
    `select epoch, legacy_head as head, (select count(*) from legacy_events e where e.store_number = s.store_number) as events
       from streams s`,
  );
  await client.end();
  expect(rows.every(({ epoch, head, events }) => epoch === '1' && head === events)).toBe(true);
});

test('an append whose answer was lost stays unknown, also when the circuit opens right after it', async () => {
  const store = newStore();
  const event = newEvent();
  await append(store);
  proxy.cutNext('append', 'before the reply');
  expect((await append(store, event)).status).toBe(504);

  proxy.goDown();
  await until('the circuit is open', async () => {
    await readHead(store);
    return (await stateOf('database')) === 2;
  });
  // Not now says that this request stored nothing; what became of the event is settled by asking again.
  expect((await append(store, event)).status).toBe(503);

  proxy.goUp();
  let answer = await append(store, event);
  await until('it is answered', async () => {
    answer = await append(store, event);
    return answer.status === 200;
  });
  expect(answer.json).toMatchObject({
    events_accepted: 0,
    rejections: [{ reason: expect.stringContaining('Duplicate'), sequence_number: 2 }],
  });
});

test('a read that meets a lost connection is tried again, and counted', async () => {
  const store = newStore();
  await append(store);
  proxy.cutNext('heads', 'before the reply');
  expect(await readHead(store)).toMatchObject({ status: 200, json: { head_sequence: 1 } });
  const of = 'operation="read"';
  expect(await metric('retry_attempts', of)).toBe(1);
  expect(await metric('retry_successes', of)).toBe(1);
  expect(await metric('retry_latency_seconds_count', of)).toBe(1);
  expect(await stateOf('database')).toBe(0);
});
