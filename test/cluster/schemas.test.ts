import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { ingestBody } from '../../bin/driver/sequencer-client.ts';
import { newEvent } from '../support/client-load.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

/** How long a change of a schema may take to act on every node, and what a busy machine adds to a request. */
const inForceMs = 1_000;
const slackMs = 1_000;

const testNodes = new TestNodes();
let database: TestDatabase;
let nats: NatsServer;
let one: NodeProcess;
let two: NodeProcess;
beforeAll(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), startNatsServer()]);
  [one, two] = await Promise.all([startNode('one'), startNode('two')]);
});
afterAll(async () => {
  await testNodes.stop();
  await nats.stop();
  await database.drop();
});

function startNode(name: string): Promise<NodeProcess> {
  return testNodes.start({
    DATABASE_URL: database.url,
    DATA_DIR: join(testNodes.folder, name),
    NODE_ID: name,
    NATS_URL: nats.url,
  });
}

async function send(node: NodeProcess, method: string, path: string, body: string) {
  const response = await fetch(`${node.url}${path}`, {
    method,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
    body,
  });
  const json = (await response.json()) as { readonly id?: string; readonly events_accepted?: number };
  return { status: response.status, json };
}

function ingest(node: NodeProcess, tenantId: string, storeId: string) {
  const body = ingestBody({ tenantId, storeId }, tenantId, [newEvent('{"note":"has no total"}')]);
  return send(node, 'POST', '/api/v1/events/ingest', body);
}

/** Whether the nodes take an event without a total, each as the owner of these stores or by way of the owner. */
async function accepted(asked: readonly (readonly [NodeProcess, string])[], tenantId: string) {
  const answers = await Promise.all(asked.map(([node, storeId]) => ingest(node, tenantId, storeId)));
  return answers.map(({ json }) => json.events_accepted);
}

/** Registers on one node what the events break, then takes it back; the others act on both within a second. */
async function expectInForce(asked: readonly (readonly [NodeProcess, string])[], tenantId: string) {
  const all = (count: number) => asked.map(() => count);
  expect(await accepted(asked, tenantId)).toEqual(all(1));
  const schemaJson = { type: 'object', required: ['total'] };
  const schema = JSON.stringify({ tenantId, eventType: newEvent().eventType, schemaJson });
  const { json } = await send(one, 'POST', '/api/v1/schemas', schema);
  const judged = async (count: number): Promise<number> =>
    until(`each takes ${count}`, async () => {
      return (await accepted(asked, tenantId)).every((taken) => taken === count);
    });
  expect(await judged(0)).toBeLessThan(inForceMs + slackMs);
  const archived = await send(one, 'PUT', `/api/v1/schemas/${json.id}/status`, '{"status":"archived"}');
  expect(archived.status).toBe(200);
  expect(await judged(1)).toBeLessThan(inForceMs + slackMs);
}

test('a schema registered on one node judges on every other within a second, and no longer when it is archived', async () => {
  // Owned by the one and by the other, and asked for by way of both.
  const stores = Array.from({ length: 8 }, () => randomUUID());
  await expectInForce(
    stores.flatMap((storeId) => [[one, storeId] as const, [two, storeId] as const]),
    randomUUID(),
  );
});

test('the same without NATS, on a node that nobody can tell of it', async () => {
  const tenantId = randomUUID();
  const stores = Array.from({ length: 16 }, () => randomUUID());
  await Promise.all(stores.map((storeId) => ingest(two, tenantId, storeId)));
  await nats.stop();
  try {
    const answers = await Promise.all(stores.map((storeId) => ingest(two, tenantId, storeId)));
    const owned = stores.filter((_, index) => answers[index]!.status === 200);
    expect(owned.length).toBeGreaterThan(0);
    await expectInForce(
      owned.map((storeId) => [two, storeId] as const),
      tenantId,
    );
  } finally {
    await nats.start();
  }
});
