import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { findFreePort } from '../bin/driver/free-port.ts';
import { startNodeProcess } from '../bin/driver/node-process.ts';
import { type ClientEvent, SequencerClient, type StoreName } from '../bin/driver/sequencer-client.ts';
import { SigningAgent } from '../bin/driver/signing-agent.ts';
import { heapAfterCollection } from './footprint/node-heap.ts';
import { payloadBytes, samplePayloads } from './load/request-template.ts';
import { positiveInteger } from './report/options.ts';
import { textTable } from './report/text-table.ts';
import { describeMachine, residentMegabytes } from './target/machine.ts';
import { makeScratchFolder, openScratchPostgres, withClient } from './target/postgres.ts';

// The figures behind `sequencer capacity` (bin/capacity/measured.ts).
const { events: eventsOfShape, stores: liveStores } = new Command('bench:footprint')
  .description('Measures what events, commitments and live stores take: on disk, in the WAL and in memory.')
  .option('--events <count>', 'of each kind; a multiple of 1,000', positiveInteger, 20_000)
  .option('--stores <count>', 'that are live at once; a multiple of 8', positiveInteger, 2_000)
  .parse()
  .opts<{ readonly events: number; readonly stores: number }>();

const shapes = ['small-150', 'nested-1k'];
const eventsOfRequest = 100;
const commitmentEvents = 1_000;
const requestsAtOnce = 8;

const postgres = await openScratchPostgres();
const folder = makeScratchFolder();
const inspectorPort = await findFreePort();
const apiKey = `ss_${randomBytes(24).toString('base64url')}`;
const node = await startNodeProcess({
  env: {
    DATABASE_URL: postgres.url,
    ALLOW_INSECURE_LOCAL_DB: 'true',
    DATA_DIR: join(folder, 'node'),
    BOOTSTRAP_ADMIN_API_KEY: apiKey,
    LOG_LEVEL: 'warn',
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
  },
});
const client = new SequencerClient({ url: node.url, apiKey, connectionsMax: requestsAtOnce });
const agent = new SigningAgent();

try {
  const { cpu, cores, commit } = describeMachine();
  console.log(`${cpu}, ${cores} cores, Node ${process.version}, commit ${commit}\n`);
  const idle = await heapAfterCollection(inspectorPort);
  const restingMegabytes = residentMegabytes(node.pid);
  const rows = [['events', 'payload bytes', 'table and indexes', 'counts', 'WAL', 'request body']];
  for (const shape of shapes) rows.push(await measureEvents('legacy', shape));
  for (const shape of shapes) rows.push(await measureEvents('ves', shape));
  console.log(textTable(rows).join('\n'));
  console.log(`\ncommitments of ${commitmentEvents} events: ${await measureCommitments()} bytes an event`);
  const before = await heapAfterCollection(inspectorPort);
  await openStores();
  const perStore = (await heapAfterCollection(inspectorPort)) - before;
  const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MB`;
  console.log(
    `node at rest: ${megabytes(idle)} of heap, ${restingMegabytes.toFixed(0)} MB resident\n` +
      `a live store: ${(perStore / liveStores).toFixed(0)} bytes of heap (${liveStores} of them)`,
  );
} finally {
  client.close();
  await node.stop();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A row of the table: bytes an event. */
async function measureEvents(world: 'legacy' | 'ves', shape: string): Promise<string[]> {
  const store: StoreName = { tenantId: randomUUID(), storeId: randomUUID() };
  await client.send('POST', '/api/v1/agents/keys', agent.registration(store.tenantId));
  const before = await readSizes(`${world}_events`);
  let bodyBytes = 0;
  for (let sent = 0; sent < eventsOfShape; sent += eventsOfRequest) {
    const events = samplePayloads(shape, eventsOfRequest).map(eventOf);
    if (world === 'ves') {
      const signed = await Promise.all(events.map((event) => agent.sign(store, event)));
      bodyBytes += signed.reduce((sum, text) => sum + text.length + 1, 0);
      expectStored(await client.appendSigned(agent.agentId, signed));
    } else {
      // What the envelope takes beside the payload is counted as one event of the request has it.
      bodyBytes += events.reduce((sum, event) => sum + JSON.stringify(event).length + 2 * 36, 0);
      expectStored(await client.append(store, agent.agentId, events));
    }
  }
  const after = await readSizes(`${world}_events`);
  const perEvent = (bytes: number): string => (bytes / eventsOfShape).toFixed(0);
  return [
    world,
    String(payloadBytes(shape)),
    perEvent(after.table - before.table),
    perEvent(after.counts - before.counts),
    perEvent(after.wal - before.wal),
    perEvent(bodyBytes),
  ];
}

async function measureCommitments(): Promise<string> {
  const store: StoreName = { tenantId: randomUUID(), storeId: randomUUID() };
  for (let sent = 0; sent < eventsOfShape; sent += eventsOfRequest) {
    const events = samplePayloads('small-150', eventsOfRequest).map(eventOf);
    expectStored(await client.append(store, agent.agentId, events));
  }
  const before = await readSizes('legacy_events');
  for (let start = 1; start <= eventsOfShape; start += commitmentEvents) {
    const range = { sequence_start: start, sequence_end: start + commitmentEvents - 1 };
    const body = JSON.stringify({ tenant_id: store.tenantId, store_id: store.storeId, ...range });
    const { status, body: answer } = await client.send('POST', '/api/v1/commitments', body);
    if (status >= 300) throw new Error(`a commitment was answered with ${status}: ${answer}`);
  }
  const after = await readSizes('legacy_events');
  return ((after.commitments - before.commitments) / eventsOfShape).toFixed(0);
}

/** One event in each of many stores, so that each has its actor in memory. */
async function openStores(): Promise<void> {
  const tenantId = randomUUID();
  const open = async (count: number): Promise<void> => {
    for (let opened = 0; opened < count; opened++) {
      const [event] = samplePayloads('small-150', 1).map(eventOf);
      expectStored(await client.append({ tenantId, storeId: randomUUID() }, agent.agentId, [event!]));
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, () => open(liveStores / requestsAtOnce)));
}

function eventOf(payload: string): ClientEvent {
  const eventId = randomUUID();
  const entityId = `order-${eventId.slice(0, 18)}`;
  const createdAt = '2026-01-31T12:00:00.000Z';
  return { eventId, entityType: 'order', entityId, eventType: 'order.updated', createdAt, payload };
}

function expectStored({
  kind,
  ...outcome
}: Awaited<ReturnType<typeof client.append | typeof client.appendSigned>>): void {
  if (kind !== 'acknowledged') throw new Error(`an append was ${kind}: ${JSON.stringify(outcome)}`);
}

interface Sizes {
  readonly table: number;
  readonly counts: number;
  readonly commitments: number;
  readonly wal: number;
}

/** After a vacuum, so that what autovacuum has not come to yet does not decide; the WAL is read before it. */
function readSizes(table: string): Promise<Sizes> {
  return withClient(postgres.url, async (session) => {
    const { rows: wal } = await session.query<{ wal: string }>("select pg_current_wal_lsn() - '0/0' as wal");
    await session.query('vacuum');
    const { rows } = await session.query<{ table: string; counts: string; commitments: string }>(
      `select pg_total_relation_size($1::regclass) as table, pg_total_relation_size('entity_counts') as counts,
              pg_total_relation_size('commitments') + pg_total_relation_size('commitment_nodes') as commitments`,
      [table],
    );
    const { counts, commitments, table: tableBytes } = rows[0]!;
    return {
      table: Number(tableBytes),
      counts: Number(counts),
      commitments: Number(commitments),
      wal: Number(wal[0]!.wal),
    };
  });
}
