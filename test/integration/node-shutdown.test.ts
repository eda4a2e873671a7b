import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { Load } from '../support/client-load.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const delaySecs = 5;

const nodes = new TestNodes();
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await nodes.stop();
  await database.drop();
});

function startNode(): Promise<NodeProcess> {
  const shutdown = { SHUTDOWN_DELAY_SECS: String(delaySecs), SHUTDOWN_DRAIN_SECS: '20' };
  return nodes.start({ DATABASE_URL: database.url, ...shutdown });
}

function startLoad(node: NodeProcess): Load {
  const size = { stores: 2, writersPerStore: 4, eventsPerRequestMax: 20 };
  return new Load({ url: node.url, folder: nodes.folder, ...size, timeoutMs: 10_000 });
}

/** Starts the node again where it was, lets the writers settle what they sent, and judges what they saw. */
async function judgeAfterRestart(node: NodeProcess, load: Load): Promise<void> {
  const { port } = new URL(node.url);
  const next = await nodes.start({ DATABASE_URL: database.url, PORT: port });
  await load.finish();
  await expectHistoryHolds(load.history.path);
  await next.stop();
}

test('SIGTERM: not ready at once, serving for the delay, then drained and gone with 0', async () => {
  const node = await startNode();
  const load = startLoad(node);
  try {
    await until('the load runs', () => load.counts.acknowledged > 20);
    const signalMs = performance.now();
    node.kill('SIGTERM');
    await until('it is not ready', async () => (await fetch(`${node.url}/ready`)).status === 503);
    const acknowledged = load.counts.acknowledged;
    await until('requests are served during the delay', () => load.counts.acknowledged > acknowledged);
    expect((await fetch(`${node.url}/health`)).status).toBe(200);

    expect(await node.ended).toEqual({ code: 0, signal: null });
    const tookMs = performance.now() - signalMs;
    expect(tookMs).toBeGreaterThanOrEqual(delaySecs * 1_000);
    expect(tookMs).toBeLessThan(delaySecs * 1_000 + 20_000);
    await judgeAfterRestart(node, load);
  } catch (error) {
    await load.abandon();
    throw error;
  }
});

test('SIGINT skips the delay, and loses nothing either', async () => {
  const node = await startNode();
  const load = startLoad(node);
  try {
    await until('the load runs', () => load.counts.acknowledged > 20);
    const signalMs = performance.now();
    node.kill('SIGINT');
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalMs).toBeLessThan(delaySecs * 1_000);
    await judgeAfterRestart(node, load);
  } catch (error) {
    await load.abandon();
    throw error;
  }
});
