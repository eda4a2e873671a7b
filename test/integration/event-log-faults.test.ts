import pg from 'pg';
import type { Sequence } from '../../domain/types.ts';
import type { Claim, EventLog } from '../../storage/event-log.ts';
import { batchOf, checkLog, headsOf, newStore, randomEvent, randomId } from '../support/event-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { type Cut, TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let opened: OpenedLog;
let log: EventLog;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  proxy = await TcpProxy.open(database.url);
  opened = await openTestLog(proxy.url, { appendTimeoutMs: 3_000 });
  log = opened.log;
});

afterEach(async () => {
  await opened.close();
  await proxy.close();
});

const faults = [
  ['failed, not saved', 'before the request', 0],
  ['failed, but saved', 'before the reply', 1],
] as const satisfies [string, Cut, number][];

describe.each(faults)('%s', (_, cut, saved) => {
  test('an append is unknown, and the next claim finds what is durable', async () => {
    const store = newStore();
    const claim = await log.claim(store, 'node-1');
    const [lost, next] = [randomEvent(), randomEvent()];
    proxy.cutNext('append', cut);
    await expect(log.append(batchOf(claim, 0, [lost]))).rejects.toMatchObject({ kind: 'unknown' });

    const again = await log.claim(store, 'node-1');
    expect(again.heads).toEqual(headsOf(saved));
    await expect(log.append(batchOf(again, saved, [next]))).resolves.toEqual({ kind: 'appended' });
    await checkLog(log, store, saved === 0 ? [next.eventId] : [lost.eventId, next.eventId]);
  });

  test('a claim is refused, and the next one succeeds with a later epoch', async () => {
    const store = newStore();
    proxy.cutNext('claim_new', cut);
    await expect(log.claim(store, 'node-1')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await expect(log.claim(store, 'node-1')).resolves.toMatchObject({ epoch: 1 + saved });
  });

  test('a claim of a known store is refused, and the next one succeeds with a later epoch', async () => {
    const store = newStore();
    await log.claim(store, 'node-1');
    proxy.cutNext('claim_existing', cut);
    await expect(log.claim(store, 'node-1')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await expect(log.claim(store, 'node-1')).resolves.toMatchObject({ epoch: 2 + saved });
  });

  const reads: [operation: string, statement: string, run: (claim: Claim) => Promise<unknown>][] = [
    ['findEvents', 'find_events', (claim) => log.findEvents(claim, [randomId()])],
    ['findCommands', 'find_commands', (claim) => log.findCommands(claim, 'legacy', [randomId()])],
    [
      'entityVersions',
      'entity_versions',
      (claim) => log.entityVersions(claim, [{ entityType: 'a', entityId: 'b' }]),
    ],
    ['heads', 'heads', (claim) => log.heads(claim)],
    ['readLegacy', 'read_legacy', (claim) => log.readLegacy(claim, 1 as Sequence, 9 as Sequence)],
    [
      'readLegacyEntity',
      'read_legacy_entity',
      (claim) => log.readLegacyEntity(claim, { entityType: 'a', entityId: 'b' }, { offset: 0, limit: 1 }),
    ],
    ['an empty append', 'fence_rows', (claim) => log.append(batchOf(claim, 0, []))],
  ];
  test.each(reads)('%s is refused, and works when called again', async (_operation, statement, run) => {
    const claim = await log.claim(newStore(), 'node-1');
    proxy.cutNext(statement, cut);
    await expect(run(claim)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await expect(run(claim)).resolves.toBeDefined();
  });
});

test('what waits behind a lost append is sent on the next connection', async () => {
  const claims = await Promise.all(Array.from({ length: 6 }, () => log.claim(newStore(), 'node-1')));
  proxy.cutNext('append', 'before the request');
  const first = claims.map((claim) => log.append(batchOf(claim, 0, [randomEvent()])));
  // Two stores of the same lane as a first one: these wait while the statement before them is lost.
  const outcomes = await Promise.allSettled(first);
  const kinds = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.kind : 'unknown'));
  expect(kinds).toContain('unknown');
  expect(kinds).toContain('appended');
  for (const [index, claim] of claims.entries()) {
    const { legacy } = await log.heads(claim);
    expect(legacy).toBe(kinds[index] === 'appended' ? 1 : 0);
  }
});

test('an append without an answer is unknown after its time, and the connection is replaced', async () => {
  const store = newStore();
  const claim = await log.claim(store, 'node-1');
  proxy.fallSilent();
  const start = performance.now();
  await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toMatchObject({ kind: 'unknown' });
  expect(performance.now() - start).toBeLessThan(15_000);
  proxy.speak();
  const again = await log.claim(store, 'node-1');
  await expect(log.append(batchOf(again, again.heads.legacy, [randomEvent()]))).resolves.toEqual({
    kind: 'appended',
  });
});

/** On return the store's lane has noticed: what it sent at last was lost. */
async function loseConnections(claim: Claim): Promise<void> {
  proxy.goDown();
  await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toBeDefined();
}

test('while Postgres is away appends are refused in time, and they work soon after it is back', async () => {
  const claim = await log.claim(newStore(), 'node-1');
  await loseConnections(claim);
  const start = performance.now();
  await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
  });
  expect(performance.now() - start).toBeLessThan(15_000);
  await expect(log.heads(claim)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(opened.log.ping()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });

  proxy.goUp();
  await expect(log.append(batchOf(claim, 0, [randomEvent()]))).resolves.toEqual({ kind: 'appended' });
  await expect(opened.log.ping()).resolves.toMatchObject({ responseTimeMs: expect.any(Number) });
});

test('a server that lets nothing be written is left for the next connection', async () => {
  const claim = await log.claim(newStore(), 'node-1');
  const admin = new pg.Client({ connectionString: database.url, application_name: 'admin' });
  await admin.connect();
  const name = new URL(database.url).pathname.slice(1);
  const endOurs = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'stateset-sequencer'`;
  // What a primary looks like that has become a standby: sessions live on, and writes are refused.
  try {
    await admin.query(`alter database ${name} set default_transaction_read_only = on`);
    await admin.query(endOurs);
    // The first of each may still be lost with the old connection.
    await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toBeDefined();
    await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toMatchObject({ kind: 'pushback' });
    await expect(log.claim(claim, 'node-1')).rejects.toMatchObject({ kind: 'pushback' });
    await expect(log.claim(claim, 'node-1')).rejects.toMatchObject({ kind: 'pushback' });
  } finally {
    await admin.query('set default_transaction_read_only = off');
    await admin.query(`alter database ${name} reset default_transaction_read_only`);
    await admin.end();
  }
  const again = await log.claim(claim, 'node-1');
  await expect(log.append(batchOf(again, 0, [randomEvent()]))).resolves.toEqual({ kind: 'appended' });
});

test('an append that waits through a short outage succeeds', async () => {
  const claim = await log.claim(newStore(), 'node-1');
  await loseConnections(claim);
  const outcome = log.append(batchOf(claim, 0, [randomEvent()]));
  setTimeout(() => proxy.goUp(), 100);
  await expect(outcome).resolves.toEqual({ kind: 'appended' });
});

test('closing answers what was sent and refuses the rest', async () => {
  const claims = await Promise.all(Array.from({ length: 8 }, () => log.claim(newStore(), 'node-1')));
  const settled = Promise.allSettled(claims.map((claim) => log.append(batchOf(claim, 0, [randomEvent()]))));
  await opened.log.close();
  const outcomes = await settled;
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') expect(outcome.value).toEqual({ kind: 'appended' });
    else expect(outcome.reason).toMatchObject({ code: 'SHUTTING_DOWN' });
  }
  const claim = claims[0]!;
  await expect(log.append(batchOf(claim, 0, [randomEvent()]))).rejects.toMatchObject({
    code: 'SHUTTING_DOWN',
  });
  await expect(log.claim(claim, 'node-1')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
});
