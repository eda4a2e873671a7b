import type { Claim } from '../../storage/event-log.ts';
import { aheadBytesMin } from '../../storage/postgres/append-lane.ts';
import { batchOf, checkLog, newStore, randomEvent } from '../support/event-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let opened: OpenedLog;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  proxy = await TcpProxy.open(database.url);
  opened = await openTestLog(proxy.url, { appendTimeoutMs: 3_000 });
});

afterEach(async () => {
  await opened.close();
  await proxy.close();
});

/** So large that its append is sent behind another. */
const largeEvent = () => randomEvent({ payload: new TextEncoder().encode(`"${'x'.repeat(aheadBytesMin)}"`) });

const { tenantId } = newStore();
const claimNew = (): Promise<Claim> => opened.log.claim({ ...newStore(), tenantId }, 'node-1');

test('many appends of a store on their way at once are stored in their order', async () => {
  const claim = await claimNew();
  const events = Array.from({ length: 40 }, largeEvent);
  const outcomes = await Promise.all(
    events.map((event, head) => opened.log.append(batchOf(claim, head, [event]))),
  );
  expect(outcomes).toEqual(events.map(() => ({ kind: 'appended' })));
  await checkLog(
    opened.log,
    claim,
    events.map(({ eventId }) => eventId),
  );
});

test('behind an append that repeats a stored id, nothing of the store is stored', async () => {
  const claim = await claimNew();
  const [stored, next] = [largeEvent(), largeEvent()];
  await opened.log.append(batchOf(claim, 0, [stored]));
  const outcomes = await Promise.all([
    opened.log.append(batchOf(claim, 1, [stored])),
    opened.log.append(batchOf(claim, 2, [next])),
  ]);
  expect(outcomes).toEqual([{ kind: 'conflict' }, { kind: 'heads-moved', heads: { legacy: 1, ves: 0 } }]);
  await checkLog(opened.log, claim, [stored.eventId]);
});

test('a neighbour whose append is sent again keeps the one behind it', async () => {
  // All of one tenant, so that they share lanes.
  const claims = await Promise.all(Array.from({ length: 8 }, claimNew));
  const stored = claims.map(largeEvent);
  await Promise.all(claims.map((claim, index) => opened.log.append(batchOf(claim, 0, [stored[index]!]))));
  const seconds = claims.map(largeEvent);
  const thirds = claims.map(largeEvent);
  // The first of them conflicts, and whoever shares its statement is sent again after it.
  const outcomes = await Promise.all([
    ...claims.map((claim, index) =>
      opened.log.append(batchOf(claim, 1, [index === 0 ? stored[0]! : seconds[index]!])),
    ),
    ...claims.slice(1).map((claim, index) => opened.log.append(batchOf(claim, 2, [thirds[index + 1]!]))),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['conflict', ...Array<string>(14).fill('appended')]);
  for (const [index, claim] of claims.slice(1).entries()) {
    const expected = [stored, seconds, thirds].map((events) => events[index + 1]!.eventId);
    await checkLog(opened.log, claim, expected);
  }
});

test('when the connection is lost, no append is stored whose predecessor is not', async () => {
  const claim = await claimNew();
  const events = Array.from({ length: 6 }, largeEvent);
  proxy.cutNext('append', 'before the reply');
  const outcomes = await Promise.allSettled(
    events.map((event, head) => opened.log.append(batchOf(claim, head, [event]))),
  );
  expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { kind: 'unknown' } });
  const { heads } = await opened.log.claim(claim, 'node-1');
  await checkLog(
    opened.log,
    claim,
    events.slice(0, heads.legacy).map(({ eventId }) => eventId),
  );
});
