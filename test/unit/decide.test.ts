import { decide } from '../../domain/sequencing/decide.ts';
import { entityText } from '../../domain/sequencing/decision.ts';
import type {
  AppendRequest,
  Decision,
  Facts,
  Needs,
  StoredRef,
  StoreState,
} from '../../domain/sequencing/decision.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { sequenceMax } from '../../domain/types.ts';
import type { EntityVersion, EventId, Micros, StoreKey, Uuid } from '../../domain/types.ts';
import { makeEvent, uuid } from '../support/events.ts';

const store: StoreKey = { tenantId: uuid(1), storeId: uuid(2) };
const now = 1_700_000_000_000_000n as Micros;
const empty: StoreState = stateAt(0);

function stateAt(head: number, lastSequencedAt: bigint | null = null): StoreState {
  return { heads: { legacy: head, ves: 0 } as never, lastSequencedAt: lastSequencedAt as Micros | null };
}

function requestOf(number: number, ...events: LegacyEvent[]): AppendRequest {
  return { world: 'legacy', requestId: uuid(900_000 + number), events };
}

interface Known {
  events?: [EventId, StoredRef | null][];
  commands?: [Uuid, StoredRef | null][];
  versions?: [LegacyEvent, number][];
}

function factsOf(known: Known = {}): Facts {
  return {
    legacy: { events: new Map(known.events), commands: new Map(known.commands) },
    ves: { events: new Map(), commands: new Map() },
    versions: new Map(
      known.versions?.map(([event, version]) => [entityText(event), version as EntityVersion]),
    ),
  };
}

function run(state: StoreState, requests: AppendRequest[], facts: Facts = factsOf()): Decision | Needs {
  return decide(store, state, requests, facts, now, portableSha256);
}

function decided(state: StoreState, requests: AppendRequest[], facts: Facts = factsOf()): Decision {
  const result = run(state, requests, facts);
  if (result.kind !== 'decided') throw new Error(`needs ${JSON.stringify([...result.legacy.events])}`);
  return result;
}

const storedBy = (sequence: number, request: number): StoredRef =>
  ({ sequence, requestId: uuid(900_000 + request) }) as StoredRef;

test('new events are numbered contiguously after the head, across the requests of a flush', () => {
  const decision = decided(stateAt(7), [
    requestOf(1, makeEvent(1), makeEvent(2)),
    requestOf(2, makeEvent(3)),
  ]);
  expect(decision.legacy.map((event) => event.sequence)).toEqual([8, 9, 10]);
  expect(decision.answers.map((answer) => answer.head)).toEqual([9, 10]);
  expect(decision.state.heads).toEqual({ legacy: 10, ves: 0 });
});

test('deciding new events asks for nothing of the log', () => {
  expect(run(empty, [requestOf(1, makeEvent(1, { commandId: uuid(70) }))]).kind).toBe('decided');
});

test('an empty request is answered with the head and changes nothing', () => {
  const decision = decided(stateAt(3), [requestOf(1)]);
  expect(decision.answers).toEqual([{ acceptances: [], rejections: [], head: 3 }]);
  expect(decision.state).toEqual(stateAt(3));
});

test('the second copy of an event id in a request is rejected even when the first was', () => {
  const bad = makeEvent(1, { payloadHashDiffers: true });
  const { answers } = decided(
    empty,
    [requestOf(1, bad, makeEvent(1))],
    factsOf({ events: [[bad.eventId, null]] }),
  );
  expect(answers[0]!.rejections.map((rejection) => rejection.reason)).toEqual([
    'payload-hash-differs',
    'duplicate-event-id',
  ]);
});

test('an event id that another request of the flush brought is a duplicate with its sequence', () => {
  const { answers, legacy: accepted } = decided(empty, [
    requestOf(1, makeEvent(1)),
    requestOf(2, makeEvent(1)),
  ]);
  expect(accepted).toHaveLength(1);
  expect(answers[1]!.rejections).toMatchObject([{ reason: 'duplicate-event-id', sequence: 1 }]);
});

test('a stored event id is a duplicate and burns no sequence', () => {
  const [first, second] = [makeEvent(1), makeEvent(2)];
  const facts = factsOf({ events: [[first.eventId, storedBy(4, 99)]] });
  const { answers, legacy: accepted } = decided(stateAt(9), [requestOf(1, first, second)], facts);
  expect(answers[0]!.rejections).toMatchObject([
    { eventId: first.eventId, reason: 'duplicate-event-id', sequence: 4 },
  ]);
  expect(accepted.map((event) => event.sequence)).toEqual([10]);
});

test('a wrong payload hash is reported only once it is sure that the id is not stored', () => {
  const event = makeEvent(1, { payloadHashDiffers: true });
  const needs = run(empty, [requestOf(1, event)]) as Needs;
  expect([...needs.legacy.events]).toEqual([event.eventId]);
  const absent = decided(empty, [requestOf(1, event)], factsOf({ events: [[event.eventId, null]] }));
  expect(absent.answers[0]!.rejections[0]!.reason).toBe('payload-hash-differs');
  const present = decided(
    empty,
    [requestOf(1, event)],
    factsOf({ events: [[event.eventId, storedBy(1, 99)]] }),
  );
  expect(present.answers[0]!.rejections[0]!.reason).toBe('duplicate-event-id');
});

test('a command belongs to one event, in the request, in the flush and in the log', () => {
  const commandId = uuid(70);
  const [first, second, third] = [1, 2, 3].map((number) => makeEvent(number, { commandId }));
  const absent = factsOf({ events: [first!, second!, third!].map((event) => [event.eventId, null]) });
  const inRequest = decided(empty, [requestOf(1, first!, second!)], absent);
  expect(inRequest.answers[0]!.rejections).toMatchObject([{ reason: 'duplicate-command-id' }]);
  const inFlush = decided(empty, [requestOf(1, first!), requestOf(2, third!)], absent);
  expect(inFlush.answers[1]!.rejections).toMatchObject([{ reason: 'duplicate-command-id' }]);
  const inLog = decided(
    stateAt(5),
    [requestOf(1, first!)],
    factsOf({ events: [[first!.eventId, null]], commands: [[commandId, storedBy(2, 99)]] }),
  );
  expect(inLog.answers[0]!.rejections).toMatchObject([{ reason: 'duplicate-command-id' }]);
});

test('a command whose event failed the version check is free again, though not in the same request', () => {
  const commandId = uuid(70);
  const conflicting = makeEvent(1, { commandId, baseVersion: 5n });
  const later = makeEvent(2, { commandId });
  const known = factsOf({
    events: [
      [conflicting.eventId, null],
      [later.eventId, null],
    ],
    commands: [[commandId, null]],
    versions: [[conflicting, 0]],
  });
  const same = decided(empty, [requestOf(1, conflicting, later)], known);
  expect(same.answers[0]!.rejections.map((rejection) => rejection.reason)).toEqual([
    'version-conflict',
    'duplicate-command-id',
  ]);
  const next = decided(empty, [requestOf(1, conflicting), requestOf(2, later)], known);
  expect(next.answers[1]!.acceptances).toHaveLength(1);
});

test('base_version follows the entity through the batch', () => {
  const entity = { entityType: 'order', entityId: 'A' };
  const events = [0n, 1n, 1n, 2n].map((baseVersion, index) =>
    makeEvent(index + 1, { ...entity, baseVersion }),
  );
  const facts = factsOf({
    versions: [[events[0]!, 0]],
    events: events.map((event) => [event.eventId, null]),
  });
  const { answers } = decided(empty, [requestOf(1, ...events)], facts);
  expect(answers[0]!.acceptances.map((acceptance) => acceptance.eventId)).toEqual(
    [events[0]!, events[1]!, events[3]!].map((event) => event.eventId),
  );
  expect(answers[0]!.rejections).toMatchObject([
    { eventId: events[2]!.eventId, reason: 'version-conflict', message: 'expected 1, actual 2' },
  ]);
});

test('a base_version beyond 2^53 conflicts instead of rounding to one that matches', () => {
  const event = makeEvent(1, { baseVersion: 9_007_199_254_740_993n });
  const facts = factsOf({ versions: [[event, 9_007_199_254_740_992]], events: [[event.eventId, null]] });
  expect(decided(empty, [requestOf(1, event)], facts).answers[0]!.rejections[0]!.reason).toBe(
    'version-conflict',
  );
});

test('a version that is not known is asked for', () => {
  const event = makeEvent(1, { baseVersion: 0n });
  const needs = run(empty, [requestOf(1, event)]) as Needs;
  expect([...needs.entities.values()]).toEqual([{ entityType: event.entityType, entityId: event.entityId }]);
});

test('a request that is already in the log gets its first answer again and appends nothing', () => {
  const events = [makeEvent(1), makeEvent(2, { baseVersion: 4n }), makeEvent(3)];
  const facts = factsOf({
    events: [
      [events[0]!.eventId, storedBy(11, 1)],
      [events[1]!.eventId, null],
      [events[2]!.eventId, storedBy(12, 1)],
    ],
    versions: [[events[1]!, 4]],
  });
  const { answers, legacy: accepted } = decided(stateAt(20), [requestOf(1, ...events)], facts);
  expect(accepted).toEqual([]);
  expect(answers[0]!.acceptances.map((acceptance) => acceptance.sequence)).toEqual([11, 12]);
  expect(answers[0]!.rejections).toMatchObject([{ eventId: events[1]!.eventId, reason: 'version-conflict' }]);
  expect(answers[0]!.head).toBe(12);
});

test('two attempts of one request in the same flush are answered alike and stored once', () => {
  const events = [makeEvent(1), makeEvent(2)];
  const { answers, legacy: accepted } = decided(empty, [requestOf(1, ...events), requestOf(1, ...events)]);
  expect(accepted).toHaveLength(2);
  expect(answers[1]).toEqual(answers[0]);
});

test('the time given to events never goes back', () => {
  const later = now + 5_000_000n;
  const decision = decided(stateAt(1, later), [requestOf(1, makeEvent(1))]);
  expect(decision.sequencedAt).toBe(later);
  expect(decision.state.lastSequencedAt).toBe(later);
});

test('a stream without a sequence left refuses to number another event', () => {
  expect(() => run(stateAt(sequenceMax), [requestOf(1, makeEvent(1))])).toThrow('no sequence left');
});
