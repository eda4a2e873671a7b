import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { SequencerClient, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const connections = 100;
const eventsPerRequest = 500;
const loadMs = 8_000;
const megabyte = 1_048_576;
/** A quarter of what the connections send at a time. */
const bytesInFlightMax = 16 * megabyte;
/** What the admitted bytes, their answers and the garbage between two collections may add to an idle node. */
const growthMegabytesMax = 400;

const nodes = new TestNodes();
let database: TestDatabase;
let node: NodeProcess;

beforeAll(async () => {
  database = await createTestDatabase();
  node = await nodes.start({ DATABASE_URL: database.url, MAX_BYTES_IN_FLIGHT: String(bytesInFlightMax) });
});
afterAll(async () => {
  await nodes.stop();
  await database.drop();
});

interface Seen {
  acknowledged: number;
  pushbacks: number;
  pushbackWithoutRetryAfter: number;
  slowestPushbackMs: number;
  readonly others: string[];
}

test('beyond the bytes in flight a request is turned away at once, and memory stays bounded', async () => {
  const payload = JSON.stringify({ note: 'x'.repeat(1_000) });
  const client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: connections });
  const stores = Array.from({ length: 4 }, newStore);
  const seen: Seen = {
    acknowledged: 0,
    pushbacks: 0,
    pushbackWithoutRetryAfter: 0,
    slowestPushbackMs: 0,
    others: [],
  };
  const idleMegabytes = residentMegabytes(node.pid);
  const untilMs = performance.now() + loadMs;
  const loops = Array.from({ length: connections }, (_, index) =>
    keepAppending(client, stores[index % stores.length] ?? newStore(), payload, untilMs, seen),
  );
  const peakMegabytes = await peakUntil(untilMs, node.pid);
  await Promise.all(loops);

  const heads = await Promise.all(stores.map((store) => client.head(store)));
  client.close();
  console.log(
    `${seen.acknowledged} requests acknowledged, ${seen.pushbacks} turned away, the slowest of these after ` +
      `${Math.round(seen.slowestPushbackMs)} ms; memory ${idleMegabytes} MB idle, ${peakMegabytes} MB at most`,
  );
  expect(seen.others).toEqual([]);
  expect(seen.acknowledged).toBeGreaterThan(0);
  expect(seen.pushbacks).toBeGreaterThan(0);
  expect(seen.pushbackWithoutRetryAfter).toBe(0);
  expect(seen.slowestPushbackMs).toBeLessThan(3_000);
  expect(peakMegabytes - idleMegabytes).toBeLessThan(growthMegabytesMax);
  // What was turned away left nothing, what was acknowledged is there.
  expect(heads.reduce((sum, head) => sum + head, 0)).toBe(seen.acknowledged * eventsPerRequest);
});

async function keepAppending(
  client: SequencerClient,
  store: StoreName,
  payload: string,
  untilMs: number,
  seen: Seen,
): Promise<void> {
  const agentId = newEvent().eventId;
  while (performance.now() < untilMs) {
    const events = Array.from({ length: eventsPerRequest }, () => newEvent(payload));
    const startMs = performance.now();
    const outcome = await client.append(store, agentId, events);
    if (outcome.kind === 'acknowledged') {
      seen.acknowledged += 1;
    } else if (outcome.kind === 'refused' && outcome.status === 503) {
      seen.pushbacks += 1;
      seen.slowestPushbackMs = Math.max(seen.slowestPushbackMs, performance.now() - startMs);
      if (!(outcome.retryAfterSecs >= 1)) seen.pushbackWithoutRetryAfter += 1;
      await sleep(outcome.retryAfterSecs * 1_000 * Math.random());
    } else {
      seen.others.push(JSON.stringify(outcome));
    }
  }
}

async function peakUntil(untilMs: number, pid: number): Promise<number> {
  let peak = 0;
  while (performance.now() < untilMs) {
    peak = Math.max(peak, residentMegabytes(pid));
    await sleep(200);
  }
  return peak;
}

function residentMegabytes(pid: number): number {
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString();
  return Math.round(Number(kilobytes.trim()) / 1_024);
}
