import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000a';
const keysPath = `/api/v1/admin/tenants/${tenantId}/api-keys`;
const headPath = `/api/v1/head?tenant_id=${tenantId}&store_id=bbbbbbbb-0000-4000-8000-000000000001`;
/** How long a change of a key may take to act on every node. */
const revocationMs = 1_000;

let database: TestDatabase;
let nats: NatsServer;
let nodes: NodeProcess[];
const testNodes = new TestNodes();
beforeAll(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), startNatsServer()]);
  nodes = await Promise.all([startNode('one', adminKey), startNode('two', adminKey)]);
});
afterAll(async () => {
  await testNodes.stop();
  await nats.stop();
  await database.drop();
});

function startNode(name: string, bootstrapKey: string): Promise<NodeProcess> {
  return testNodes.start({
    DATABASE_URL: database.url,
    DATA_DIR: join(testNodes.folder, name),
    NODE_ID: name,
    NATS_URL: nats.url,
    BOOTSTRAP_ADMIN_API_KEY: bootstrapKey,
  });
}

async function send(node: NodeProcess | undefined, method: string, path: string, key: string, body?: object) {
  const response = await fetch(`${node?.url}${path}`, {
    method,
    headers: { authorization: `ApiKey ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    json: text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {},
  };
}

/** What each node answers to this key now. */
async function statuses(key: string, path = headPath): Promise<number[]> {
  return Promise.all(nodes.map(async (node) => (await send(node, 'GET', path, key)).status));
}

async function newKey(): Promise<{ apiKey: string; keyHashPrefix: string }> {
  const { json } = await send(nodes[0], 'POST', keysPath, adminKey, {});
  const { apiKey = '', keyHashPrefix = '' } = json;
  // Twice, so that every node has it in its cache.
  await statuses(apiKey);
  expect(await statuses(apiKey)).toEqual([200, 200]);
  return { apiKey, keyHashPrefix };
}

async function revoke(on: NodeProcess | undefined, prefix: string): Promise<void> {
  expect((await send(on, 'DELETE', `${keysPath}/${prefix}`, adminKey)).status).toBe(200);
}

test('a revoked key is refused by every node a second later', async () => {
  const { apiKey, keyHashPrefix } = await newKey();
  await revoke(nodes[1], keyHashPrefix);
  await sleep(revocationMs);
  expect(await statuses(apiKey)).toEqual([401, 401]);
});

test('a revoked key is refused by every node a second later while NATS is down', async () => {
  const { apiKey, keyHashPrefix } = await newKey();
  await nats.stop();
  try {
    await revoke(nodes[0], keyHashPrefix);
    await sleep(revocationMs);
    expect(await statuses(apiKey)).toEqual([401, 401]);
  } finally {
    await nats.start();
  }
});

test('a new bootstrap key replaces the one before on every node within a second, and that one never comes back', async () => {
  const successor = 'ss_test_successor_key_0123456789abcdefghij';
  expect(await statuses(adminKey, keysPath)).toEqual([200, 200]);
  const third = await startNode('three', successor);
  await sleep(revocationMs);
  expect(await statuses(adminKey, keysPath)).toEqual([401, 401]);
  expect(await statuses(successor, keysPath)).toEqual([200, 200]);
  await third.stop();

  const late = await startNode('four', adminKey);
  expect(late.output).toContain('BOOTSTRAP_ADMIN_API_KEY was revoked, or replaced by another');
  expect((await send(late, 'GET', keysPath, adminKey)).status).toBe(401);
  expect(await statuses(successor, keysPath)).toEqual([200, 200]);
});
