import { ActorDirectory } from '../../actors/actor-directory.ts';
import type { ActorDependencies, ActorLimits, AppendCommand } from '../../actors/sequencer.actor.ts';
import { StoredCache } from '../../actors/stored-cache.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { RequestId, StoreKey } from '../../domain/types.ts';
import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeEvent, uuid } from '../support/events.ts';

const store: StoreKey = { tenantId: uuid(1), storeId: uuid(2) };
const generous: ActorLimits = {
  mailboxCommandsMax: 1_000,
  mailboxBytesMax: 1_000_000,
  flushEventsMax: 1_000,
  flushBytesMax: 1_000_000,
  aheadBytesMin: 131_072,
};

function openNode(
  log: MemoryEventLog,
  options: { limits?: Partial<ActorLimits>; claimant?: string; live?: number } = {},
) {
  const clock = new ManualClock();
  const dependencies: ActorDependencies = {
    log,
    clock,
    sha256: portableSha256,
    receiptSigner: null,
    claimant: options.claimant ?? 'node-1',
    limits: { ...generous, ...options.limits },
    stored: new StoredCache(1_000),
    observer: { claimed: () => undefined, flushed: () => undefined, closed: () => undefined },
  };
  const directory = new ActorDirectory(
    dependencies,
    { liveActorsMax: options.live ?? 100, idleTimeoutMs: 10_000 },
    () => 0,
  );
  return { clock, directory };
}

let requests = 0;
function commandOf(
  events: LegacyEvent[],
  fields: { requestId?: RequestId; deadlineMs?: number } = {},
): AppendCommand {
  const requestId = uuid(700_000 + ++requests);
  return { world: 'legacy', requestId, events, byteCount: 100, deadlineMs: Number.MAX_VALUE, ...fields };
}

async function expectLog(log: MemoryEventLog, count: number): Promise<void> {
  const stored = await log.readLegacy(store, 1 as never, (count + 10) as never);
  expect(stored.map((event) => event.sequence)).toEqual(
    Array.from({ length: count }, (_, index) => index + 1),
  );
  expect(new Set(stored.map((event) => event.eventId)).size).toBe(count);
}

test('commands that arrive together share one append and are answered in order', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log);
  const answers = await Promise.all(
    [1, 2, 3].map((number) => directory.append(store, commandOf([makeEvent(number)]))),
  );
  expect(answers.map((answer) => answer.acceptances[0]!.sequence)).toEqual([1, 2, 3]);
  await expectLog(log, 3);
});

test('a store that may not be made is refused, and leaves no actor behind', async () => {
  const log = new MemoryEventLog(1);
  const { directory } = openNode(log);
  await directory.append(store, commandOf([makeEvent(1)]));
  const tooMany = { ...store, storeId: uuid(3) };
  for (let time = 0; time < 2; time += 1) {
    const both = [1, 2].map((number) => directory.append(tooMany, commandOf([makeEvent(number)])));
    for (const outcome of await Promise.allSettled(both)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'QUOTA_EXCEEDED' } });
    }
    expect(directory.liveCount).toBe(1);
  }
});

test('an append that failed and was not saved answers unknown, and the retry stores it once', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log);
  const command = commandOf([makeEvent(1)]);
  log.breakNext('append', 'failed, not saved');
  await expect(directory.append(store, command)).rejects.toMatchObject({ kind: 'unknown' });
  const answer = await directory.append(store, command);
  expect(answer.acceptances).toMatchObject([{ sequence: 1 }]);
  await expectLog(log, 1);
});

test('an append whose reply was lost is not appended twice, and the retry gets the first answer', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log);
  const command = commandOf([makeEvent(1), makeEvent(2)]);
  log.breakNext('append', 'failed, but saved');
  await expect(directory.append(store, command)).rejects.toMatchObject({ kind: 'unknown' });
  const answer = await directory.append(store, command);
  expect(answer.acceptances.map((acceptance) => acceptance.sequence)).toEqual([1, 2]);
  expect(answer.rejections).toEqual([]);
  await expectLog(log, 2);
});

test('the same events in a new request are duplicates that name their sequences', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log);
  log.breakNext('append', 'failed, but saved');
  await expect(directory.append(store, commandOf([makeEvent(1)]))).rejects.toMatchObject({ kind: 'unknown' });
  const answer = await directory.append(store, commandOf([makeEvent(1), makeEvent(2)]));
  expect(answer.rejections).toMatchObject([{ reason: 'duplicate-event-id', sequence: 1 }]);
  expect(answer.acceptances).toMatchObject([{ sequence: 2 }]);
});

test.each(['failed, not saved', 'failed, but saved'] as const)(
  'a claim that %s costs a retry and nothing else',
  async (fault) => {
    const log = new MemoryEventLog();
    const { directory } = openNode(log);
    log.breakNext('claim', fault);
    const command = commandOf([makeEvent(1)]);
    await expect(directory.append(store, command)).rejects.toMatchObject({ kind: 'pushback' });
    expect((await directory.append(store, command)).acceptances).toMatchObject([{ sequence: 1 }]);
  },
);

test('what waits behind an unknown append is decided afresh from what is durable', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log, { limits: { flushEventsMax: 1 } });
  log.breakNext('append', 'failed, but saved');
  const [first, second] = await Promise.allSettled([
    directory.append(store, commandOf([makeEvent(1)])),
    directory.append(store, commandOf([makeEvent(2)])),
  ]);
  expect(first).toMatchObject({ status: 'rejected', reason: { kind: 'unknown' } });
  expect(second).toMatchObject({ status: 'fulfilled', value: { acceptances: [{ sequence: 2 }] } });
  await expectLog(log, 2);
});

test('a fenced actor answers no receipts, and the new owner carries on', async () => {
  const log = new MemoryEventLog();
  const old = openNode(log, { claimant: 'node-1' });
  const next = openNode(log, { claimant: 'node-2' });
  await old.directory.append(store, commandOf([makeEvent(1)]));
  await next.directory.append(store, commandOf([makeEvent(2)]));
  await expect(old.directory.append(store, commandOf([makeEvent(3)]))).rejects.toMatchObject({
    kind: 'fenced',
    data: { claimant: 'node-2' },
  });
  expect((await next.directory.append(store, commandOf([makeEvent(3)]))).acceptances).toMatchObject([
    { sequence: 3 },
  ]);
  await expectLog(log, 3);
});

test('a replaced owner does not even answer a rejection from what it remembers', async () => {
  const log = new MemoryEventLog();
  const old = openNode(log, { claimant: 'node-1' });
  const next = openNode(log, { claimant: 'node-2' });
  const entity = { entityType: 'order', entityId: 'A' };
  await old.directory.append(store, commandOf([makeEvent(1, { ...entity, baseVersion: 0n })]));
  await next.directory.append(store, commandOf([makeEvent(2, { ...entity, baseVersion: 1n })]));
  const late = commandOf([makeEvent(3, { ...entity, baseVersion: 2n })]);
  await expect(old.directory.append(store, late)).rejects.toMatchObject({ kind: 'fenced' });
});

test('a fenced node leaves the store alone for a while, then may claim it back', async () => {
  const log = new MemoryEventLog();
  const { clock, directory } = openNode(log);
  await directory.append(store, commandOf([makeEvent(1)]));
  await log.claim(store, 'node-2');
  await expect(directory.append(store, commandOf([makeEvent(2)]))).rejects.toMatchObject({ kind: 'fenced' });
  await expect(directory.append(store, commandOf([makeEvent(2)]))).rejects.toMatchObject({ kind: 'fenced' });
  clock.advance(1_001);
  expect((await directory.append(store, commandOf([makeEvent(2)]))).acceptances).toMatchObject([
    { sequence: 2 },
  ]);
});

test('a command that ran out of time in the mailbox is answered and not appended', async () => {
  const log = new MemoryEventLog();
  const { clock, directory } = openNode(log);
  clock.advance(100);
  await expect(directory.append(store, commandOf([makeEvent(1)], { deadlineMs: 50 }))).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  await expectLog(log, 0);
});

test('a full mailbox pushes back, and everything that it holds is answered', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log, { limits: { mailboxCommandsMax: 3 } });
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => directory.append(store, commandOf([makeEvent(index + 1)]))),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(7);
  for (const result of refused) expect(result).toMatchObject({ reason: { code: 'MAILBOX_FULL' } });
  await expectLog(log, 3);
});

test('a shutdown finishes what is in flight and answers everything else', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log, { limits: { flushEventsMax: 1 } });
  const calls = [1, 2, 3].map((number) => directory.append(store, commandOf([makeEvent(number)])));
  await directory.close();
  const results = await Promise.allSettled(calls);
  const stored = results.filter((result) => result.status === 'fulfilled').length;
  for (const result of results.filter((each) => each.status === 'rejected')) {
    expect(result).toMatchObject({ reason: { code: 'SHUTTING_DOWN' } });
  }
  await expectLog(log, stored);
  await expect(directory.append(store, commandOf([makeEvent(9)]))).rejects.toMatchObject({
    code: 'SHUTTING_DOWN',
  });
});

test('an idle actor is dropped, and a busy node makes room for another store', async () => {
  const log = new MemoryEventLog();
  const { clock, directory } = openNode(log, { live: 2 });
  for (const storeNumber of [1, 2, 3]) {
    await directory.append({ ...store, storeId: uuid(storeNumber) }, commandOf([makeEvent(1)]));
  }
  expect(directory.liveCount).toBe(2);
  await new Promise((resolve) => setImmediate(resolve)); // The last one has answered and is about to be idle.
  clock.advance(20_000);
  expect(directory.liveCount).toBe(0);
});

test('versions are read once and then followed in memory', async () => {
  const log = new MemoryEventLog();
  const { directory } = openNode(log);
  const entity = { entityType: 'order', entityId: 'A' };
  await directory.append(store, commandOf([makeEvent(1, entity)]));
  for (const [index, baseVersion] of [1n, 2n, 3n].entries()) {
    const answer = await directory.append(
      store,
      commandOf([makeEvent(index + 2, { ...entity, baseVersion })]),
    );
    expect(answer.acceptances).toHaveLength(1);
  }
  const late = await directory.append(store, commandOf([makeEvent(9, { ...entity, baseVersion: 1n })]));
  expect(late.rejections).toMatchObject([{ reason: 'version-conflict', message: 'expected 1, actual 4' }]);
});
