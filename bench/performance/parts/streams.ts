import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { findFreePort } from '../../../bin/driver/free-port.ts';
import { heapAfterCollection } from '../../footprint/node-heap.ts';
import { whole } from '../../report/number-text.ts';
import { residentMegabytes } from '../../target/machine.ts';
import { NodeMetrics } from '../../target/node-metrics.ts';
import { nodeSettings } from '../cells.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { figure, judge } from '../report.ts';

const connections = 50;
const activeEvents = 10;
const pollMs = 200;
const waitMaxMs = 120_000;

interface HeapNode extends MeasuredNode {
  /** Bytes after a full collection. */
  heap(): Promise<number>;
}

/** What streams take of a node's memory: at rest, at work, and when they have been freed. */
export const streams: Part = {
  name: 'streams',
  title: 'Memory of streams',
  seconds: 110,
  measure: async (bench) => {
    const idleCount = bench.pick(100_000, 8_000, 100);
    const workingCount = bench.pick(2_000, 1_000, 100);
    const idle = await measureIdle(bench, idleCount);
    const activeBytes = await measureActive(bench, workingCount);
    const freedCount = bench.pick(20_000, 4_000, 100);
    const freedBytes = await measureFreed(bench, freedCount);
    return {
      figures: [
        figure('streams.idle_bytes', idle.bytes, 'bytes', 'lower'),
        figure('streams.active_bytes', activeBytes, 'bytes', 'lower'),
        figure('streams.freed_bytes', freedBytes, 'bytes', 'lower'),
        figure('streams.node_megabytes', idle.megabytes, 'MB', 'lower'),
      ],
      targets: [
        judge({
          ...{ item: 6, what: `an idle stream, of ${whole(idleCount)} on one node`, limit: 'at most' },
          ...{ wanted: 3_072, measured: idle.bytes, unit: 'bytes' },
        }),
        judge({
          ...{ item: 6, what: 'an active stream', limit: 'at most' },
          ...{ wanted: 20_480, measured: activeBytes, unit: 'bytes' },
        }),
        judge({
          ...{ item: 6, what: 'a stream that has been freed', limit: 'at most' },
          ...{ wanted: freedBytesMax, measured: Math.max(0, freedBytes), unit: 'bytes' },
        }),
        judge({
          ...{ item: 6, what: 'streams alive on one node', limit: 'at least' },
          ...{ wanted: idleCount, measured: idle.alive, unit: 'streams' },
        }),
      ],
      tables: [
        {
          title: 'Memory of a stream, in bytes of heap after a full collection',
          columns: ['stream', 'bytes', 'measured over'],
          rows: [
            [
              'idle',
              whole(idle.bytes),
              `${whole(idle.alive)} streams; the node then holds ${whole(idle.megabytes)} MB (RSS)`,
            ],
            [
              'active',
              whole(activeBytes),
              `${whole(workingCount)} streams that just got ${activeEvents} events a request, over and over`,
            ],
            [
              'freed',
              whole(freedBytes),
              `${whole(freedCount)} streams that had an event each, after their time in memory was up`,
            ],
          ],
        },
      ],
      charts: [],
      notes: [
        `An idle stream had one event, and has its place in memory. What a node remembers within bounds of its own, whatever the number of streams (the ids of recent events, and the last acknowledged heads: RECENT_IDS_MAX, KNOWN_HEADS_MAX), counts with the idle and the active, and is set to its least where freed streams are measured. "None" is taken as less than ${freedBytesMax} bytes, the noise of a heap.`,
      ],
    };
  },
};

const freedBytesMax = 64;

async function measureIdle(
  bench: Bench,
  count: number,
): Promise<{ readonly bytes: number; readonly alive: number; readonly megabytes: number }> {
  const node = await startHeapNode(bench, { LIVE_ACTORS_MAX: String(count + 1_000) });
  const load = bench.openLoad();
  const { url, apiKey } = node;
  const tenantId = randomUUID();
  const asked = { url, apiKey, tenantId, payload: 'small-150', batch: 1, signed: null };
  await load.run({
    ...asked,
    connections: 10,
    streams: 20,
    warmUpMs: 0,
    measureMs: bench.pick(2_000, 500, 50),
  });
  const before = await node.heap();
  const aliveBefore = await aliveOn(node);
  const untilMs = performance.now() + waitMaxMs;
  let alive = aliveBefore;
  while (alive < count && performance.now() < untilMs) {
    bench.say(`${whole(alive)} of ${whole(count)} idle streams`);
    const measureMs = Math.min(4_000, 200 + (count - alive) / 5);
    await load.run({ ...asked, connections, streams: 'new', warmUpMs: 0, measureMs });
    alive = await aliveOn(node);
  }
  const bytes = ((await node.heap()) - before) / Math.max(1, alive - aliveBefore);
  const megabytes = residentMegabytes(node.pid);
  await node.stop();
  return { bytes, alive, megabytes };
}

/** What is left of streams whose time in memory is up. */
async function measureFreed(bench: Bench, count: number): Promise<number> {
  const node = await startHeapNode(bench, {
    ACTOR_IDLE_TIMEOUT_SECS: '3',
    RECENT_IDS_MAX: '1',
    KNOWN_HEADS_MAX: '1',
  });
  const load = bench.openLoad();
  const { url, apiKey } = node;
  const asked = { url, apiKey, tenantId: randomUUID(), payload: 'small-150', batch: 1, signed: null };
  const claims = async (): Promise<number> => (await NodeMetrics.scrape(node)).value('sequencer_claims');
  const useOnce = async (): Promise<void> => {
    bench.say('streams that are freed');
    const untilClaims = (await claims()) + count;
    while ((await claims()) < untilClaims) {
      await load.run({
        ...asked,
        connections,
        streams: 'new',
        warmUpMs: 0,
        measureMs: bench.pick(1_000, 300, 30),
      });
    }
    await untilFreed(node);
  };
  // What the first streams leave behind once is no part of what each of the others does.
  await useOnce();
  const [before, claimsBefore] = [await node.heap(), await claims()];
  await useOnce();
  const bytes = ((await node.heap()) - before) / ((await claims()) - claimsBefore);
  await node.stop();
  return bytes;
}

/** With the default settings, and with every stream in use a moment ago. */
async function measureActive(bench: Bench, count: number): Promise<number> {
  bench.say(`${whole(count)} active streams`);
  const node = await startHeapNode(bench);
  const load = bench.openLoad();
  const { url, apiKey } = node;
  const asked = {
    url,
    apiKey,
    tenantId: randomUUID(),
    payload: 'small-150',
    batch: activeEvents,
    signed: null,
  };
  await load.run({
    ...asked,
    connections: 10,
    streams: 20,
    warmUpMs: 0,
    measureMs: bench.pick(2_000, 500, 50),
  });
  const before = await node.heap();
  const stores = Array.from({ length: count }, () => randomUUID());
  const rounds = bench.pick(3, 2, 1);
  for (let round = 0; round < rounds; round++) {
    for (let from = 0; from < count; from += connections) {
      await load.run({
        ...asked,
        connections,
        streams: stores.slice(from, from + connections),
        warmUpMs: 0,
        measureMs: 1,
      });
    }
  }
  const bytes = ((await node.heap()) - before) / Math.max(1, (await aliveOn(node)) - 20);
  await node.stop();
  return bytes;
}

async function startHeapNode(bench: Bench, env: Readonly<Record<string, string>> = {}): Promise<HeapNode> {
  const inspectorPort = await findFreePort();
  const node = await bench.startNode(await bench.newDatabase(), {
    ...nodeSettings,
    MAX_STORES_PER_TENANT: '0',
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
    ...env,
  });
  return { ...node, heap: () => heapAfterCollection(inspectorPort) };
}

async function aliveOn(node: MeasuredNode): Promise<number> {
  return (await NodeMetrics.scrape(node)).value('sequencer_streams_owned');
}

async function untilFreed(node: MeasuredNode): Promise<void> {
  const untilMs = performance.now() + waitMaxMs;
  while ((await aliveOn(node)) > 0) {
    if (performance.now() > untilMs) throw new Error('streams stay in memory after their time is up');
    await sleep(pollMs);
  }
}
