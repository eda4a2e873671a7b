import { ActorDirectory } from '../../actors/actor-directory.ts';
import { StoredCache } from '../../actors/stored-cache.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import type { Hash, Sequence } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { systemClock } from '../../services/system-clock.ts';
import { newStore, randomEvent, randomId } from '../support/event-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

let database: TestDatabase;
let opened: OpenedLog;
let directory: ActorDirectory;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await openTestLog(database.url);
  directory = new ActorDirectory(
    {
      log: opened.log,
      clock: systemClock,
      sha256: nodeSha256,
      receiptSigner: null,
      claimant: 'node-1',
      limits: {
        mailboxCommandsMax: 100,
        mailboxBytesMax: 1_000_000,
        flushEventsMax: 1_000,
        flushBytesMax: 1_000_000,
        aheadBytesMin: 131_072,
      },
      stored: new StoredCache(1_000),
      observer: { claimed: () => undefined, flushed: () => undefined, closed: () => undefined },
    },
    { liveActorsMax: 10, idleTimeoutMs: 60_000 },
    Math.random,
  );
});
afterAll(async () => {
  await directory.close();
  await opened.close();
  await database.drop();
});

/** Passes every check of ours and breaks a constraint of the table: what a fault in our own checks would look like. */
const poison = { payloadHash: new Uint8Array(31) as Hash };

test('events that the log refuses fail their own request, and the store carries on', async () => {
  const store = newStore();
  const append = (event: LegacyEvent) =>
    directory.append(store, {
      world: 'legacy',
      requestId: randomId(),
      events: [event],
      byteCount: 100,
      deadlineMs: Infinity,
    });
  // All three arrive in one turn, so they share the first flush.
  const results = await Promise.allSettled([
    append(randomEvent()),
    append(randomEvent(poison)),
    append(randomEvent()),
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: { acceptances: [{ sequence: 1 }] } },
    { status: 'rejected', reason: { code: 'APPEND_REFUSED' } },
    { status: 'fulfilled', value: { acceptances: [{ sequence: 2 }] } },
  ]);
  expect((await append(randomEvent())).acceptances).toMatchObject([{ sequence: 3 }]);
  const stored = await opened.log.readLegacy(store, 1 as Sequence, 10 as Sequence);
  expect(stored.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
});
