import { ingestBody, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { startStreamingPair, type StreamingPair } from '../support/streaming-replica.ts';
import { until } from '../support/until.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

let pair: StreamingPair;
let node: VesNode;
const agentId = '0190c1a5-0000-7000-8000-000000000001';
/** Of the reads that were offered to the replica, by what became of them. */
let outcomes: Record<string, number> = {};

beforeAll(async () => {
  pair = await startStreamingPair();
  node = await openVesNode(pair.primary.url, {
    env: { READ_DATABASE_URL: pair.replica.url },
    onReplicaRead: (outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1),
  });
}, 60_000);

beforeEach(() => {
  outcomes = {};
});

afterAll(async () => {
  await node.close();
  await pair.stop();
});

async function append(store: StoreName, count: number): Promise<void> {
  const events = Array.from({ length: count }, () => ({ ...newEvent(), entityId: 'order-1' }));
  const answer = await node.send('POST', '/api/v1/events/ingest', ingestBody(store, agentId, events));
  expect(answer.json).toMatchObject({ events_accepted: count });
}

/** All that a client can read of the store: how many events, of the entity too, and what the head is. */
async function readAll({ tenantId, storeId }: StoreName): Promise<object> {
  const of = `tenant_id=${tenantId}&store_id=${storeId}`;
  const [head, events, entity] = await Promise.all([
    node.send('GET', `/api/v1/head?${of}`),
    node.send('GET', `/api/v1/events?${of}&limit=1000`),
    node.send('GET', `/api/v1/entities/order/order-1?${of}`),
  ]);
  return {
    head: head.json.head_sequence,
    events: events.json.events.length,
    total: entity.json.total,
    ofEntity: entity.json.events.length,
  };
}

async function replicaMetrics(): Promise<{ usable: number | null; lag: number | null }> {
  const { text } = await node.send('GET', '/metrics');
  const valueOf = (name: string): number | null => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
    return value === undefined ? null : Number(value);
  };
  return { usable: valueOf('sequencer_replica_usable'), lag: valueOf('sequencer_replica_lag_seconds') };
}

const whole = (count: number): object => ({ head: count, events: count, total: count, ofEntity: count });

test('reads are answered by a replica that has it all', async () => {
  const store = newStore();
  await append(store, 7);
  await pair.caughtUp();
  expect(await readAll(store)).toEqual(whole(7));
  expect(outcomes).toEqual({ answered: 3 });
});

test('who was told of an event reads it, however far the replica is behind', async () => {
  const store = newStore();
  await append(store, 3);
  await pair.pauseReplay();
  await append(store, 4);
  expect(await readAll(store)).toEqual(whole(7));
  expect(outcomes).toEqual({ behind: 2 });
  await until('metrics tell of the lag', async () => (await replicaMetrics()).lag! > 1);
  expect((await replicaMetrics()).usable).toBe(1);
  const fresh = newStore();
  await append(fresh, 2);
  expect(await readAll(fresh)).toEqual(whole(2));
  await pair.resumeReplay();
  await pair.caughtUp();
  outcomes = {};
  expect(await readAll(store)).toEqual(whole(7));
  expect(outcomes).toEqual({ answered: 3 });
  await until('metrics tell that it is over', async () => (await replicaMetrics()).lag === 0);
});

test('a commitment and its proofs are read while the replica does not have them, and after', async () => {
  const store = newStore();
  await append(store, 40);
  await pair.pauseReplay();
  const of = `tenant_id=${store.tenantId}&store_id=${store.storeId}`;
  const made = await node.send('POST', '/api/v1/commitments', {
    tenant_id: store.tenantId,
    store_id: store.storeId,
    sequence_start: 1,
    sequence_end: 40,
  });
  const prove = (sequence: number) =>
    node.send('GET', `/api/v1/proofs/${sequence}?batch_id=${made.json.batch_id}&${of}`);
  expect((await prove(4)).status).toBe(200);
  expect(outcomes).toMatchObject({ behind: expect.any(Number) });
  await pair.resumeReplay();
  await pair.caughtUp();
  outcomes = {};
  // Too far from the other to have been read with it.
  expect((await prove(40)).status).toBe(200);
  expect(outcomes).toEqual({ answered: 1 });
});

test('a replica that stops costs nobody an answer, and is used again when it is back', async () => {
  const store = newStore();
  await append(store, 5);
  await pair.caughtUp();
  await pair.replica.crash();
  for (let reads = 0; reads < 10; reads += 1) expect(await readAll(store)).toEqual(whole(5));
  expect(outcomes.answered).toBeUndefined();
  const health = await node.send('GET', '/health/detailed');
  expect(health.json.components.circuit_breakers).toMatchObject([
    { name: 'database', failures: 0 },
    { name: 'append', failures: 0 },
    { name: 'replica' },
  ]);
  await until('metrics tell that it is out', async () => (await replicaMetrics()).usable === 0);
  expect((await replicaMetrics()).lag).toBeNull();
  await pair.replica.restart();
  await until(
    'the replica answers reads',
    async () => {
      expect(await readAll(store)).toEqual(whole(5));
      return (outcomes.answered ?? 0) > 0;
    },
    60_000,
  );
}, 90_000);

test('a replica that was promoted has gone its own way, and is not read any more', async () => {
  const store = newStore();
  await append(store, 5);
  await pair.caughtUp();
  await pair.promote();
  await until('it is noticed', async () => {
    outcomes = {};
    expect(await readAll(store)).toEqual(whole(5));
    return (outcomes.unfit ?? 0) > 0 && outcomes.answered === undefined;
  });
  await append(store, 1);
  expect(await readAll(store)).toEqual(whole(6));
});
