import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../bench/load/connection.ts';
import { RequestTemplate } from '../../bench/load/request-template.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { SequencerClient, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newStore } from '../support/client-load.ts';
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
  readonly acknowledgedMs: number[];
  readonly pushbackMs: number[];
  pushbackWithoutRetryAfter: number;
  readonly others: string[];
}

test('beyond the bytes in flight a request is turned away at once, and memory stays bounded', async () => {
  const stores = Array.from({ length: 4 }, newStore);
  const seen: Seen = { acknowledgedMs: [], pushbackMs: [], pushbackWithoutRetryAfter: 0, others: [] };
  const idleMegabytes = residentMegabytes(node.pid);
  const open = await openConnections();
  const untilMs = performance.now() + loadMs;
  const loops = open.map((connection, index) =>
    keepAppending(connection, stores[index % stores.length] ?? newStore(), untilMs, seen),
  );
  const peakMegabytes = await peakUntil(untilMs, node.pid);
  await Promise.all(loops);

  const client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 4 });
  const heads = await Promise.all(stores.map((store) => client.head(store)));
  client.close();
  const [acknowledgedMs, pushbackMs] = [medianOf(seen.acknowledgedMs), medianOf(seen.pushbackMs)];
  console.log(
    `${seen.acknowledgedMs.length} requests acknowledged (median ${acknowledgedMs} ms), ${seen.pushbackMs.length} ` +
      `turned away (median ${pushbackMs} ms); memory ${idleMegabytes} MB idle, ${peakMegabytes} MB at most`,
  );
  expect(seen.others).toEqual([]);
  expect(seen.acknowledgedMs.length).toBeGreaterThan(0);
  expect(seen.pushbackMs.length).toBeGreaterThan(0);
  expect(seen.pushbackWithoutRetryAfter).toBe(0);
  // Whatever the machine is worth: being turned away takes less than being served.
  expect(pushbackMs).toBeLessThan(acknowledgedMs);
  expect(peakMegabytes - idleMegabytes).toBeLessThan(growthMegabytesMax);
  // What was turned away left nothing, what was acknowledged is there.
  const stored = heads.reduce((sum, head) => sum + head, 0);
  expect(stored).toBe(seen.acknowledgedMs.length * eventsPerRequest);
});

/**
 * Connections that the node has accepted. It takes one a turn of its event loop (libuv does), so under load a new
 * connection waits for its turn; here the time of an answer is measured, and not that wait.
 */
async function openConnections(): Promise<Connection[]> {
  const url = new URL(node.url);
  const question = Buffer.from(`GET /health HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  return Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = new Connection(url);
      await connection.send(question, 60_000);
      return connection;
    }),
  );
}

/** With the bench's client: one that costs more than the node's answers would measure itself. */
async function keepAppending(
  connection: Connection,
  store: StoreName,
  untilMs: number,
  seen: Seen,
): Promise<void> {
  const target = { url: new URL(node.url), apiKey: adminKey, ...store, agentId: randomUUID() };
  const template = new RequestTemplate({ ...target, payload: 'nested-1k', events: eventsPerRequest });
  while (performance.now() < untilMs) {
    const request = template.next();
    const startMs = performance.now();
    const { status, retryAfterSecs, body } = await connection.send(request, 60_000);
    if (status === 200 && JSON.parse(body.toString()).events_accepted === eventsPerRequest) {
      seen.acknowledgedMs.push(performance.now() - startMs);
    } else if (status === 503) {
      seen.pushbackMs.push(performance.now() - startMs);
      if (!(retryAfterSecs >= 1)) seen.pushbackWithoutRetryAfter += 1;
      await sleep(retryAfterSecs * 1_000 * Math.random());
    } else {
      seen.others.push(`${status}: ${body.toString().slice(0, 200)}`);
    }
  }
  connection.close();
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

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? NaN);
}
