import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Cluster, startCluster } from '../../bin/cluster/cluster.ts';
import type { ClusterNode } from '../../bin/cluster/cluster-node.ts';
import { HistoryFile, RecordedClient } from '../../bin/driver/recorded-client.ts';
import { SequencerClient, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openVesNode } from '../support/ves-node.ts';

const agentId = '00000000-0000-4000-8000-0000000000a1';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-ownership-'));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('three nodes', () => {
  let cluster: Cluster;
  let database: pg.Pool;

  beforeAll(async () => {
    cluster = await startCluster({ dataDir: join(folder, 'data'), env: { LOG_LEVEL: 'warn' } });
    database = new pg.Pool({ connectionString: cluster.postgres.url, max: 1 });
  }, 120_000);
  afterAll(async () => {
    await database.end();
    await cluster.stop();
  }, 120_000);

  const clientOf = ({ url }: ClusterNode) =>
    new SequencerClient({ url, apiKey: cluster.adminKey, connectionsMax: 20, timeoutMs: 35_000 });

  async function rowOf({ storeId }: StoreName): Promise<{ claimant: string; epoch: number }> {
    const { rows } = await database.query<{ claimant: string; epoch: string }>(
      'select claimant, epoch from streams where store_id = $1',
      [storeId],
    );
    return { claimant: rows[0]!.claimant, epoch: Number(rows[0]!.epoch) };
  }

  test('agree on every owner: whichever is asked, a stream is claimed once', async () => {
    const stores = Array.from({ length: 30 }, newStore);
    const clients = cluster.nodes.map(clientOf);
    for (const store of stores) {
      for (const client of clients) {
        expect((await client.append(store, agentId, [newEvent()])).kind).toBe('acknowledged');
      }
    }
    const rows = await Promise.all(stores.map(rowOf));
    expect(rows.map(({ epoch }) => epoch)).toEqual(stores.map(() => 1));
    expect(new Set(rows.map(({ claimant }) => claimant)).size).toBe(3);
    for (const client of clients) client.close();
  });

  test('write on within 10 s when the owner is paused, and the paused one changes nothing when it goes on', async () => {
    const store = newStore();
    const history = new HistoryFile(join(folder, 'paused.jsonl'));
    const clients = new Map(cluster.nodes.map((node) => [node, clientOf(node)]));
    const writer = (node: ClusterNode, name: string) => new RecordedClient(clients.get(node)!, name, history);
    const [first] = cluster.nodes;
    await writer(first!, 'before').append(store, agentId, [newEvent()]);
    const { claimant } = await rowOf(store);
    const owner = cluster.nodes.find(({ name }) => name === claimant)!;
    const other = cluster.nodes.find(({ name }) => name !== claimant)!;

    // Some are under way when the owner stops: in its hands, or in those of Postgres.
    const caught = Array.from({ length: 10 }, (_, index) =>
      writer(owner, `caught-${index}`).append(store, agentId, [newEvent(), newEvent()]),
    );
    await sleep(3);
    owner.pause();
    const pausedMs = performance.now();
    const meanwhile = writer(other, 'meanwhile');
    while ((await meanwhile.append(store, agentId, [newEvent()])).kind !== 'acknowledged') await sleep(50);
    expect(performance.now() - pausedMs).toBeLessThan(10_000);
    for (let count = 0; count < 5; count++) await meanwhile.append(store, agentId, [newEvent()]);
    const taken = await rowOf(store);
    expect(taken.claimant).not.toBe(claimant);

    owner.resume();
    await Promise.all([
      ...caught,
      ...Array.from({ length: 5 }, (_, index) =>
        writer(owner, `stale-${index}`).append(store, agentId, [newEvent()]),
      ),
      meanwhile.append(store, agentId, [newEvent()]),
    ]);
    await writer(other, 'final').readToEnd(store);
    await history.close();
    await expectHistoryHolds(history.path);
    for (const client of clients.values()) client.close();
  }, 120_000);

  test('are restarted one after the other under load, and no client sees more than acknowledgements', async () => {
    const client = new SequencerClient({
      url: cluster.url,
      apiKey: cluster.adminKey,
      connectionsMax: 30,
      timeoutMs: 35_000,
    });
    const history = new HistoryFile(join(folder, 'rolling.jsonl'));
    const stores = Array.from({ length: 30 }, newStore);
    const others: string[] = [];
    let acknowledged = 0;
    let isOver = false;
    const writers = stores.map(async (store, index) => {
      const writer = new RecordedClient(client, `w${index}`, history);
      while (!isOver) {
        const outcome = await writer.append(store, agentId, [newEvent(), newEvent()]);
        if (outcome.kind === 'acknowledged') acknowledged++;
        else others.push(JSON.stringify(outcome));
        await sleep(40);
      }
      await writer.readToEnd(store);
    });
    await sleep(500);
    await cluster.rollingRestart();
    await sleep(500);
    isOver = true;
    await Promise.all(writers);
    await history.close();
    expect(others).toEqual([]);
    expect(acknowledged).toBeGreaterThan(300);
    await expectHistoryHolds(history.path);
    client.close();
  }, 180_000);
});

test('two nodes that do not know of each other both get their events in, and claim at most once a second each', async () => {
  const database = await createTestDatabase();
  const nodes = [await openVesNode(database.url), await openVesNode(database.url)];
  const store = newStore();
  const forMs = 12_000;
  const startMs = performance.now();
  const longestMs = await Promise.all(
    nodes.map(async ({ url }) => {
      const client = new SequencerClient({
        url,
        apiKey: 'ss_test_admin_key_0123456789abcdefghij',
        connectionsMax: 1,
      });
      let longest = 0;
      while (performance.now() - startMs < forMs) {
        const beganMs = performance.now();
        expect((await client.append(store, agentId, [newEvent()])).kind).toBe('acknowledged');
        longest = Math.max(longest, performance.now() - beganMs);
      }
      client.close();
      return longest;
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const { rows } = await pool.query<{ epoch: string }>('select epoch from streams where store_id = $1', [
    store.storeId,
  ]);
  await pool.end();
  expect(Number(rows[0]!.epoch)).toBeGreaterThan(3);
  expect(Number(rows[0]!.epoch)).toBeLessThanOrEqual(2 * seconds + 2);
  // A fenced node waits for a second, for two at most, before it claims again.
  for (const longest of longestMs) expect(longest).toBeLessThan(10_000);
  await Promise.all(nodes.map((node) => node.close()));
  await database.drop();
});
