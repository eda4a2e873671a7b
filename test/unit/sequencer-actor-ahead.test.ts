import { SequencerActor } from '../../actors/sequencer.actor.ts';
import type { AppendCommand } from '../../actors/sequencer.actor.ts';
import { StoredCache } from '../../actors/stored-cache.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { Sequence, StoreKey } from '../../domain/types.ts';
import type { AppendBatch, AppendOutcome } from '../../storage/event-log.ts';
import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { makeEvent, uuid } from '../support/events.ts';
import { ManualClock } from '../support/manual-clock.ts';

const store: StoreKey = { tenantId: uuid(1), storeId: uuid(2) };

/** A log that takes appends at once and carries them out, in their order, when it is told to. */
class HeldLog extends MemoryEventLog {
  /** Appends that were taken, from the first to the last. */
  readonly taken: AppendBatch[] = [];
  private held: (() => void)[] | null = [];

  override append(batch: AppendBatch): Promise<AppendOutcome> {
    this.taken.push(batch);
    return new Promise((resolve, reject) => {
      const carryOut = (): void => void super.append(batch).then(resolve, reject);
      if (this.held === null) carryOut();
      else this.held.push(carryOut);
    });
  }

  /** Carries out what was taken, and from now on everything at once. */
  letGo(): void {
    for (const carryOut of this.held ?? []) carryOut();
    this.held = null;
  }
}

function openActor() {
  const log = new HeldLog();
  const actor = new SequencerActor(store, {
    log,
    clock: new ManualClock(),
    sha256: portableSha256,
    receiptSigner: null,
    claimant: 'node-1',
    limits: {
      mailboxCommandsMax: 100,
      mailboxBytesMax: 1_000_000,
      flushEventsMax: 2,
      flushBytesMax: 1_000_000,
      aheadBytesMin: 100,
    },
    stored: new StoredCache(1_000),
    observer: { claimed: () => undefined, flushed: () => undefined, closed: () => undefined },
  });
  return { log, actor };
}

let requests = 0;
function commandOf(events: LegacyEvent[], byteCount = 100): AppendCommand {
  return {
    world: 'legacy',
    requestId: uuid(700_000 + ++requests),
    events,
    byteCount,
    deadlineMs: Number.MAX_VALUE,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two requests of two events each, of which the second is sent while the first is on its way. */
async function sendTwo(
  { actor, log }: ReturnType<typeof openActor>,
  numbers: readonly number[] = [1, 2, 3, 4],
) {
  const [a, b, c, d] = numbers.map((number) => makeEvent(number)) as [
    LegacyEvent,
    LegacyEvent,
    ...LegacyEvent[],
  ];
  const first = actor.append(commandOf([a, b]));
  await turn();
  const second = actor.append(commandOf([c!, d!]));
  const outcomes = Promise.allSettled([first, second]);
  await turn();
  expect(log.taken).toHaveLength(2);
  return outcomes;
}

async function storedIn(log: MemoryEventLog): Promise<[Sequence, string][]> {
  const stored = await log.readLegacy(store, 1 as Sequence, 100 as Sequence);
  return stored.map(({ sequence, eventId }) => [sequence, eventId]);
}

test('an append is sent behind the one on its way, on the heads that this will leave', async () => {
  const node = openActor();
  const outcomes = sendTwo(node);
  await turn();
  await turn();
  await turn();
  expect(node.log.taken.map(({ expectedHeads }) => expectedHeads.legacy)).toEqual([0, 2]);
  node.log.letGo();
  expect(await outcomes).toMatchObject([
    { value: { acceptances: [{ sequence: 1 }, { sequence: 2 }], head: 2 } },
    { value: { acceptances: [{ sequence: 3 }, { sequence: 4 }], head: 4 } },
  ]);
  expect(node.log.taken).toHaveLength(2);
});

test('little is gathered until the append on its way is answered', async () => {
  const { actor, log } = openActor();
  const first = actor.append(commandOf([makeEvent(1)]));
  await turn();
  const second = actor.append(commandOf([makeEvent(2)], 99));
  await turn();
  expect(log.taken).toHaveLength(1);
  log.letGo();
  expect(await Promise.all([first, second])).toMatchObject([{ head: 1 }, { head: 2 }]);
});

test('what needs the version of an entity waits for the append on its way', async () => {
  const { actor, log } = openActor();
  const entity = { entityType: 'order', entityId: 'A' };
  const first = actor.append(commandOf([makeEvent(1, entity)]));
  await turn();
  const second = actor.append(commandOf([makeEvent(2, { ...entity, baseVersion: 1n })]));
  await turn();
  expect(log.taken).toHaveLength(1);
  log.letGo();
  expect(await Promise.all([first, second])).toMatchObject([{ head: 1 }, { head: 2 }]);
});

test('when the first repeats a stored event, both are decided again', async () => {
  const node = openActor();
  const claim = await node.log.claim(store, 'another');
  const stored = makeEvent(1);
  const earlier: AppendBatch = {
    claim,
    expectedHeads: claim.heads,
    sequencedAt: stored.createdAt,
    legacy: [
      {
        event: stored,
        sequence: 1 as Sequence,
        requestId: uuid(9),
        leafHash: stored.payloadHash,
      },
    ],
    ves: [],
  };
  await MemoryEventLog.prototype.append.call(node.log, earlier);
  const outcomes = sendTwo(node);
  await turn();
  await turn();
  node.log.letGo();
  expect(await outcomes).toMatchObject([
    {
      value: { acceptances: [{ sequence: 2 }], rejections: [{ reason: 'duplicate-event-id', sequence: 1 }] },
    },
    { value: { acceptances: [{ sequence: 3 }, { sequence: 4 }] } },
  ]);
  expect(await storedIn(node.log)).toEqual([1, 2, 3, 4].map((number) => [number, uuid(number)]));
});

test('when the second repeats an event of the first, only that is rejected', async () => {
  const node = openActor();
  const outcomes = sendTwo(node, [1, 2, 2, 3]);
  await turn();
  await turn();
  node.log.letGo();
  expect(await outcomes).toMatchObject([
    { value: { acceptances: [{ sequence: 1 }, { sequence: 2 }] } },
    {
      value: { acceptances: [{ sequence: 3 }], rejections: [{ reason: 'duplicate-event-id', sequence: 2 }] },
    },
  ]);
});

test.each([
  ['failed, not saved', [1, 2]],
  ['failed, but saved', [3, 4]],
] as const)('when the first %s, the second is stored without a gap', async (fault, sequences) => {
  const node = openActor();
  node.log.breakNext('append', fault);
  const outcomes = sendTwo(node);
  await turn();
  await turn();
  node.log.letGo();
  const [first, second] = await outcomes;
  expect(first).toMatchObject({ status: 'rejected', reason: { kind: 'unknown' } });
  expect(second).toMatchObject({ value: { acceptances: sequences.map((sequence) => ({ sequence })) } });
  const stored = await storedIn(node.log);
  expect(stored.map(([sequence]) => sequence)).toEqual(stored.map((_, index) => index + 1));
});

test('when another node has the store, neither is stored and both are told so', async () => {
  const node = openActor();
  const outcomes = sendTwo(node);
  await turn();
  await turn();
  await node.log.claim(store, 'node-2');
  node.log.letGo();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'fenced' } });
  }
  expect(await storedIn(node.log)).toEqual([]);
});

test('a close answers both appends on their way and refuses what waits', async () => {
  const node = openActor();
  const outcomes = sendTwo(node);
  await turn();
  await turn();
  const third = node.actor.append(commandOf([makeEvent(5)]));
  const refused = expect(third).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  const closed = node.actor.close();
  node.log.letGo();
  await Promise.all([closed, refused]);
  expect(await outcomes).toMatchObject([{ value: { head: 2 } }, { value: { head: 4 } }]);
});
