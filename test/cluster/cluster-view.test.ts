import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cluster, startCluster } from '../../bin/cluster/cluster.ts';
import { type AppendOutcome, SequencerClient } from '../../bin/driver/sequencer-client.ts';
import type { ClusterBody, ClusterNodeBody } from '../../services/gateway/handlers/read-cluster.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { newAgent } from '../support/ves-events.ts';
import { openVesNode } from '../support/ves-node.ts';

const run = promisify(execFile);
const names = ['node-1', 'node-2', 'node-3'];
const stores = Array.from({ length: 12 }, newStore);
let folder: string;
let cluster: Cluster;
let client: SequencerClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-cluster-'));
  chmodSync(folder, 0o755);
  cluster = await startCluster({ dataDir: folder, env: { LOG_LEVEL: 'warn' } });
  client = new SequencerClient({
    url: cluster.url,
    apiKey: cluster.adminKey,
    connectionsMax: 50,
    timeoutMs: 3_000,
  });
}, 120_000);

afterAll(async () => {
  client.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function view(query = '', node = cluster.nodes[0]!): Promise<ClusterBody> {
  const headers = { authorization: `ApiKey ${cluster.adminKey}` };
  const response = await fetch(`${node.url}/api/v1/admin/cluster${query}`, { headers });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${body}`);
  return JSON.parse(body) as ClusterBody;
}

/** A view in which all nodes answer: on a busy machine one may be late, and is told as silent then. */
async function completeView(query = '', node = cluster.nodes[0]!): Promise<ClusterBody> {
  let seen: ClusterBody | undefined;
  await until(`${node.name} hears of every node`, async () => {
    seen = await view(query, node);
    return names.every((name) => stateOf(seen!, name) === 'answers');
  });
  return seen!;
}

function stateOf({ nodes }: ClusterBody, name: string): string | undefined {
  return nodes.find(({ nodeId }) => nodeId === name)?.state;
}

function sumOf({ nodes }: ClusterBody, of: (node: ClusterNodeBody) => number | undefined): number {
  return nodes.reduce((sum, node) => sum + (of(node) ?? 0), 0);
}

/** An event in each store, sent until it is acknowledged. */
async function appendToAll(): Promise<void> {
  await Promise.all(
    stores.map(async (store) => {
      const events = [newEvent()];
      const send = (): Promise<AppendOutcome> => client.append(store, events[0]!.eventId, events);
      await until('the event is acknowledged', async () => (await send()).kind === 'acknowledged', 60_000);
    }),
  );
}

test('every node tells what it is and owns, whichever is asked', async () => {
  await appendToAll();
  const wanted = stores.map(({ storeId }) => storeId).sort();
  for (const node of cluster.nodes) {
    let seen: ClusterBody | undefined;
    // A machine so busy that a node was given up for a moment has two that call a store theirs, until one is refused.
    await until(`${node.name} tells of an owner for each store`, async () => {
      seen = await completeView('?stores=100', node);
      return sumOf(seen, ({ sequencer }) => sequencer?.storesOwned) === stores.length;
    });
    const { answeredBy, nodes } = seen!;
    expect(answeredBy).toBe(node.name);
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual(names);
    const owned = nodes.flatMap(({ sequencer }) => sequencer?.stores ?? []);
    expect(owned.map(({ storeId }) => storeId).sort()).toEqual(wanted);
    expect(owned.every(({ epoch, heads }) => epoch >= 1 && heads.legacy === 1)).toBe(true);
    expect(nodes[0]).toMatchObject({
      services: ['gateway', 'sequencer', 'commitment', 'projection'],
      bytesInFlight: 0,
    });
    const short = await completeView('', node);
    expect(sumOf(short, ({ sequencer }) => sequencer?.storesOwned)).toBe(stores.length);
    expect(sumOf(short, ({ sequencer }) => sequencer?.stores.length)).toBe(0);
  }
});

test('the command prints a line for each node', async () => {
  const args = ['cluster', '--server', cluster.url, '--key', cluster.adminKey, '--stores', '1'];
  let printed = '';
  await until('the command hears of every node', async () => {
    printed = (await run(process.execPath, ['bin/sequencer.ts', ...args])).stdout;
    return names.every((name) => new RegExp(`^${name} +answers `, 'm').test(printed));
  });
  expect(printed).toMatch(/^node-1 +answers .*gateway sequencer commitment projection$/m);
  expect(printed).toContain('legacy head');
});

test('a paused node is silent, then given up, and who took its stores over says from whom and how fast', async () => {
  const node = cluster.nodes[1]!;
  const takeovers = (seen: ClusterBody): number =>
    sumOf(seen, ({ nodeId, sequencer }) => (nodeId === node.name ? 0 : sequencer?.takeovers));
  const before = await completeView();
  const lost = before.nodes[1]!.sequencer!.storesOwned;
  node.pause();
  await until('it is silent or gone', async () => stateOf(await view(), node.name) !== 'answers');
  await until(
    'its stores are served',
    async () => {
      await Promise.all(stores.map((store) => client.append(store, newEvent().eventId, [newEvent()])));
      return takeovers(await view()) >= takeovers(before) + lost;
    },
    60_000,
  );
  const after = await view();
  const serving = after.nodes.filter(({ sequencer }) => (sequencer?.takeovers ?? 0) > 0);
  expect(serving.length).toBeGreaterThan(0);
  for (const { nodeId, sequencer } of serving) {
    const takeover = sequencer!.lastTakeover!;
    expect(takeover.from).not.toBe(nodeId);
    expect(takeover.epoch).toBeGreaterThan(1);
    expect(takeover.durationMs).toBeGreaterThan(0);
  }
  node.resume();
  await until('it is back', async () => stateOf(await view(), node.name) === 'answers');
}, 120_000);

test('a node on its own tells of itself, to the bootstrap administrator alone', async () => {
  const database = await createTestDatabase();
  const node = await openVesNode(database.url);
  try {
    const { json } = await node.send('GET', '/api/v1/admin/cluster');
    expect(json.nodes).toEqual([
      expect.objectContaining({ nodeId: json.answeredBy, state: 'answers', bytesInFlight: 0 }),
    ]);
    const nothing = { storesOwned: 0, requestsWaiting: 0, stores: [], takeovers: 0, lastTakeover: null };
    expect(json.nodes[0].sequencer).toEqual(nothing);
    const key = 'ss_cluster_view_tenant_key_0123456789abcdef';
    const { tenantId } = newAgent();
    await node.storage.keys.insertKey(hashApiKey(key), { ...bootstrapAdmin, tenantId });
    const refused = await node.send('GET', '/api/v1/admin/cluster', undefined, key);
    expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
  } finally {
    await node.close();
    await database.drop();
  }
});
