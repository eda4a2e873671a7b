import { join } from 'node:path';
import pg from 'pg';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { postgresApiKeys } from '../../storage/postgres/api-keys.ts';
import { TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { uuid } from '../support/events.ts';

const tenantLimit = 1_000;
const keyLimit = 100;
const registrationLimit = 30;
const tenants = { limited: uuid(0xa), ofKey: uuid(0xb) };

const processes = new TestNodes();
let database: TestDatabase;
let nats: NatsServer;
let nodes: NodeProcess[];
beforeAll(async () => {
  database = await createTestDatabase();
  nats = await startNatsServer();
  nodes = [];
  for (const name of ['node-1', 'node-2', 'node-3']) {
    nodes.push(
      await processes.start({
        DATABASE_URL: database.url,
        NATS_URL: nats.url,
        NODE_ID: name,
        DATA_DIR: join(processes.folder, name),
        RATE_LIMIT_PER_MINUTE: String(tenantLimit),
        PUBLIC_AGENT_REGISTRATION_ENABLED: 'true',
        PUBLIC_AGENT_REGISTRATION_RATE_LIMIT_PER_MINUTE: String(registrationLimit),
      }),
    );
  }
  const pool = new pg.Pool({ connectionString: database.url });
  const keys = postgresApiKeys(pool);
  const principal = { ...bootstrapAdmin, admin: false };
  const ofTenant = { ...principal, tenantId: tenants.limited };
  await keys.insertKey(hashApiKey('ss_tenant_one'), ofTenant);
  await keys.insertKey(hashApiKey('ss_tenant_two'), ofTenant);
  await keys.insertKey(hashApiKey('ss_key'), {
    ...principal,
    tenantId: tenants.ofKey,
    requestsPerMinuteMax: keyLimit,
  });
  await pool.end();
}, 120_000);
afterAll(async () => {
  await processes.stop();
  await nats.stop();
  await database.drop();
});

/** Asks nodes at once, each in proportion to its weight; returns the statuses. */
async function ask(keys: readonly string[], tenantId: string, times: number, weights: readonly number[]) {
  const turns = nodes.flatMap((node, index) => Array.from({ length: weights[index] ?? 0 }, () => node));
  const statuses: number[] = [];
  let asked = 0;
  const askOn = async (): Promise<void> => {
    while (asked < times) {
      const turn = asked++;
      const response = await fetch(
        `${turns[turn % turns.length]!.url}/api/v1/head?tenant_id=${tenantId}&store_id=${uuid(1)}`,
        { headers: { authorization: `ApiKey ${keys[turn % keys.length]}` } },
      );
      await response.arrayBuffer();
      statuses.push(response.status);
    }
  };
  await Promise.all(Array.from({ length: 12 }, askOn));
  return statuses;
}

const allowed = (statuses: readonly number[]) => statuses.filter((status) => status === 200).length;

test('the limit of a key holds over three nodes within 10 %', async () => {
  const statuses = await ask(['ss_key'], tenants.ofKey, keyLimit * 2, [1, 1, 1]);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(allowed(statuses)).toBeLessThanOrEqual(keyLimit);
  expect(allowed(statuses)).toBeGreaterThanOrEqual(keyLimit * 0.9);
});

test('the limit of a tenant holds over three nodes and all its keys, also when most ask one node', async () => {
  const statuses = await ask(
    ['ss_tenant_one', 'ss_tenant_two'],
    tenants.limited,
    tenantLimit * 1.5,
    [20, 3, 1],
  );
  expect(allowed(statuses)).toBeLessThanOrEqual(tenantLimit);
  expect(allowed(statuses)).toBeGreaterThanOrEqual(tenantLimit * 0.9);
});

test('registrations of one address are counted over all nodes', async () => {
  const tries = Array.from({ length: registrationLimit * 2 }, async (_, turn) => {
    const { url } = nodes[turn % nodes.length]!;
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ name: `agent ${turn}` }) };
    const response = await fetch(`${url}/api/v1/agents/register`, init);
    await response.arrayBuffer();
    return response.status;
  });
  const statuses = await Promise.all(tries);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(allowed(statuses)).toBeLessThanOrEqual(registrationLimit);
  expect(allowed(statuses)).toBeGreaterThanOrEqual(registrationLimit * 0.9);
});
