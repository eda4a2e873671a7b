import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryFile } from '../../bin/driver/recorded-client.ts';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { ingestBody } from '../../bin/driver/sequencer-client.ts';
import { Tally } from '../../bin/chaos/tally.ts';
import { Traffic } from '../../bin/chaos/traffic.ts';
import type { ClusterBody } from '../../services/gateway/handlers/read-cluster.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const nodes = new TestNodes();
/** What this version does not know, nor may have to: a table, and a column of every table that there is. */
const addition = `
  create table later (n integer primary key);
  do $$
  declare name text;
  begin
    for name in select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' loop
      execute format('alter table %I add column added_later text', name);
    end loop;
  end $$;`;
const additionName = '9999_addition.sql';

let database: TestDatabase;
let nats: NatsServer;
let newer: string;
beforeAll(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), startNatsServer()]);
  newer = nextVersion();
}, 60_000);
afterAll(async () => {
  await nodes.stop();
  await nats.stop();
  await database.drop();
}, 60_000);

/** The program of a next version: this one, with one migration more. */
function nextVersion(): string {
  const folder = join(nodes.folder, 'next-version');
  const parts = ['actors', 'bin', 'config', 'domain', 'migrations', 'services', 'storage', 'telemetry'];
  mkdirSync(folder);
  for (const part of [...parts, 'moleculer.config.ts', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'migrations', additionName), addition);
  return join(folder, 'bin/start.ts');
}

function startNode(name: string, program?: string, env: Readonly<Record<string, string>> = {}) {
  const settings = {
    NODE_ID: name,
    DATA_DIR: join(nodes.folder, name),
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    COMMITMENT_EVERY_EVENTS: '20',
    ...env,
  };
  return nodes.start(settings, program);
}

async function send(node: NodeProcess, method: string, path: string, body?: object | string) {
  const answer = await fetch(`${node.url}${path}`, {
    method,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { call: `${method} ${path.split('?')[0]}`, status: answer.status, text: await answer.text() };
}

async function seesBoth(node: NodeProcess): Promise<boolean> {
  const { nodes: seen } = JSON.parse((await send(node, 'GET', '/api/v1/admin/cluster')).text) as ClusterBody;
  return seen.filter(({ state }) => state === 'answers').length === 2;
}

/** Uses much of what a node does, with data of its own. @returns what was not answered with success */
async function useMuch(node: NodeProcess): Promise<unknown[]> {
  const { tenantId, storeId } = newStore();
  const store = `tenant_id=${tenantId}&store_id=${storeId}`;
  const event = newEvent();
  const { entityType, entityId } = event;
  const append = ingestBody({ tenantId, storeId }, tenantId, [event]);
  const calls: [method: string, path: string, body?: object | string][] = [
    ['POST', '/api/v1/events/ingest', append],
    ['POST', '/api/v1/events/ingest', append],
    ['GET', `/api/v1/events?${store}`],
    ['GET', `/api/v1/head?${store}`],
    ['GET', `/api/v1/entities/${entityType}/${entityId}?${store}`],
    [
      'POST',
      '/api/v1/commitments',
      { tenant_id: tenantId, store_id: storeId, sequence_start: 1, sequence_end: 1 },
    ],
    ['GET', `/api/v1/commitments?${store}`],
    ['POST', `/api/v1/admin/tenants/${tenantId}/api-keys`, {}],
    ['GET', `/api/v1/admin/tenants/${tenantId}/api-keys`],
    ['POST', '/api/v1/schemas', { tenantId, eventType: 'order.created', schemaJson: { type: 'object' } }],
    ['GET', `/api/v1/schemas?tenant_id=${tenantId}`],
    ['GET', '/api/v1/admin/overview'],
    ['GET', '/api/v1/admin/stores'],
    ['GET', '/api/v1/admin/agents'],
    ['GET', '/api/v1/admin/projections'],
    ['GET', '/api/v1/admin/projections?stalled=true'],
    ['GET', '/api/v1/admin/dead-letters'],
    ['GET', '/api/v1/admin/audit'],
    ['GET', '/health/detailed'],
  ];
  const failed: unknown[] = [];
  for (const [method, path, body] of calls) {
    const answer = await send(node, method, path, body);
    if (answer.status >= 300) failed.push(answer);
  }
  return failed;
}

/** Many at once, so that each session of the pool has prepared its statements, and is used again afterwards. */
async function useAllSessions(node: NodeProcess): Promise<unknown[]> {
  const failed = await Promise.all(Array.from({ length: 8 }, () => useMuch(node)));
  return failed.flat();
}

test('a node goes on while a newer one migrates and joins, and is then replaced; started anew, the older version refuses', async () => {
  const older = await startNode('one');
  expect(await useAllSessions(older)).toEqual([]);
  const history = new HistoryFile(join(nodes.folder, 'history.jsonl'));
  const traffic = new Traffic({
    gateways: [older.url],
    apiKey: adminKey,
    stores: 4,
    history,
    tally: new Tally(),
    random: Math.random,
  });
  try {
    await traffic.start();

    const next = await startNode('two', newer);
    expect(next.output).toContain(`brought the schema up to date: ${additionName}`);
    await until('they see each other', async () => (await seesBoth(older)) && (await seesBoth(next)));
    expect(await useAllSessions(older)).toEqual([]);
    expect(await useAllSessions(next)).toEqual([]);
    await traffic.settle();
    await traffic.readAll();
  } finally {
    await traffic.close();
    await history.close();
  }
  const report = await expectHistoryHolds(history.path);
  expect(report.counts.appendsAcknowledged).toBeGreaterThan(0);
  expect(older.output).not.toMatch(/cached plan|corrupt/i);

  await older.stop();
  const refusal = `The database has the migration ${additionName}, which this version does not know: run the newer version.`;
  await expect(startNode('one')).rejects.toThrow(refusal);
  await expect(startNode('one', undefined, { DB_MIGRATE_ON_STARTUP: 'false' })).rejects.toThrow(refusal);
  const replaced = await startNode('one', newer);
  expect(await useMuch(replaced)).toEqual([]);
}, 180_000);
