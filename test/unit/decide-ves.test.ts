import { decide } from '../../domain/sequencing/decide.ts';
import { entityText } from '../../domain/sequencing/decision.ts';
import type { AppendRequest, Decision, Facts, Needs, StoreState } from '../../domain/sequencing/decision.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { EntityVersion, Hash, Micros, Sequence, StoreKey } from '../../domain/types.ts';
import type { CheckedVesEvent, StoredVesEvent } from '../../domain/ves/event.ts';
import { vesLeafHash } from '../../domain/ves/hashes.ts';
import { makeEvent, makeVesEvent, uuid } from '../support/events.ts';

const store: StoreKey = { tenantId: uuid(1), storeId: uuid(2) };
const now = 1_700_000_000_000_000n as Micros;

function stateAt(legacy: number, ves: number): StoreState {
  return { heads: { legacy, ves } as never, lastSequencedAt: null };
}

function requestOf(number: number, ...events: CheckedVesEvent[]): AppendRequest {
  return { world: 'ves', requestId: uuid(900_000 + number), events };
}

function storedAs(event: CheckedVesEvent, sequence: number, request = 99): StoredVesEvent {
  const { fault: _checked, ...fields } = event;
  return {
    ...fields,
    ...store,
    sequence: sequence as Sequence,
    requestId: uuid(900_000 + request),
    sequencedAt: now,
    leafHash: new Uint8Array(32) as Hash,
    receiptSignature: null,
  };
}

function factsOf(
  stored: StoredVesEvent[],
  absent: CheckedVesEvent[] = [],
  versions: [string, number][] = [],
): Facts {
  return {
    legacy: { events: new Map(), commands: new Map() },
    ves: {
      events: new Map([
        ...absent.map((event) => [event.eventId, null] as const),
        ...stored.map((event) => [event.eventId, event] as const),
      ]),
      commands: new Map(),
    },
    versions: new Map(versions as [string, EntityVersion][]),
  };
}

function decided(state: StoreState, requests: AppendRequest[], facts = factsOf([])): Decision {
  const result = decide(store, state, requests, facts, now, portableSha256);
  expect(result.kind).toBe('decided');
  return result as Decision;
}

test('the worlds of a store number apart', () => {
  const { legacy, ves, state } = decided(stateAt(4, 8), [
    { world: 'legacy', requestId: uuid(1), events: [makeEvent(1)] },
    requestOf(2, makeVesEvent(1), makeVesEvent(2)),
  ]);
  expect(legacy.map((event) => event.sequence)).toEqual([5]);
  expect(ves.map((event) => event.sequence)).toEqual([9, 10]);
  expect(state.heads).toEqual({ legacy: 5, ves: 10 });
});

test('the leaf of a signed event covers its sequence, what was signed and the signature', () => {
  const event = makeVesEvent(1);
  const [sequenced] = decided(stateAt(0, 0), [requestOf(1, event)]).ves;
  expect(sequenced!.leafHash).toEqual(
    vesLeafHash(
      { ...store, agentSignature: event.agentSignature },
      1 as Sequence,
      event.signingHash,
      portableSha256,
    ),
  );
});

test('entity versions are shared by both worlds within a flush', () => {
  const entity = { entityType: 'order', entityId: 'A' };
  const known = factsOf([], [makeVesEvent(1), makeVesEvent(2)], [[entityText(entity), 0]]);
  const { answers } = decided(
    stateAt(0, 0),
    [
      { world: 'legacy', requestId: uuid(1), events: [makeEvent(1, { ...entity, baseVersion: 0n })] },
      requestOf(2, makeVesEvent(1, { ...entity, baseVersion: 1n })),
      requestOf(3, makeVesEvent(2, { ...entity, baseVersion: 1n })),
    ],
    { ...known, ves: { ...known.ves, commands: new Map() } },
  );
  expect(answers[1]!.acceptances).toHaveLength(1);
  expect(answers[2]!.rejections).toMatchObject([
    { reason: 'version-conflict', detail: 'expected 1, actual 2' },
  ]);
});

test('an exact replay is answered from what is stored, is not new, and takes no sequence', () => {
  const event = makeVesEvent(1);
  const stored = storedAs(event, 7);
  const { answers, ves } = decided(stateAt(0, 9), [requestOf(1, event)], factsOf([stored]));
  expect(ves).toEqual([]);
  expect(answers[0]).toEqual({
    acceptances: [{ eventId: event.eventId, sequence: 7, isNew: false, stored }],
    rejections: [],
    head: 9,
  });
});

test('a replay is not checked again: what has become wrong with it since does not matter', () => {
  const event = makeVesEvent(1, { fault: { reason: 'agent-key-invalid', message: 'revoked' } });
  const { answers } = decided(stateAt(0, 9), [requestOf(1, event)], factsOf([storedAs(event, 7)]));
  expect(answers[0]!.acceptances).toMatchObject([{ sequence: 7, isNew: false }]);
});

test('a replay may write the same payload in other words, but not another payload', () => {
  const stored = storedAs(makeVesEvent(1, { payload: Buffer.from('{"a":1,"b":2}') }), 7);
  const reworded = makeVesEvent(1, { payload: Buffer.from('{ "b": 2.0, "a": 1 }') });
  expect(
    decided(stateAt(0, 9), [requestOf(1, reworded)], factsOf([stored])).answers[0]!.acceptances,
  ).toHaveLength(1);
  const changed = makeVesEvent(1, { payload: Buffer.from('{"a":1,"b":3}') });
  expect(
    decided(stateAt(0, 9), [requestOf(1, changed)], factsOf([stored])).answers[0]!.rejections,
  ).toMatchObject([{ reason: 'duplicate-event-id', sequence: 7 }]);
});

const bytes = (length: number) => new Uint8Array(length).fill(7);
test.each<[string, Partial<CheckedVesEvent>]>([
  ['ves_version', { vesVersion: 2 }],
  ['command_id', { commandId: uuid(70) }],
  ['source_agent_id', { sourceAgent: uuid(71) }],
  ['agent_key_id', { agentKeyId: 9 }],
  ['entity_type', { entityType: 'return' }],
  ['entity_id', { entityId: 'ORD-other' }],
  ['event_type', { eventType: 'order.changed' }],
  ['created_at, even for the same instant', { createdAtText: '2023-11-14T22:13:20+00:00' }],
  ['base_version', { baseVersion: 3n }],
  ['payload_plain_hash', { payloadPlainHash: bytes(32) as Hash }],
  ['payload_cipher_hash', { payloadCipherHash: bytes(32) as Hash }],
  ['agent_signature', { agentSignature: bytes(64) }],
])('a repeat with another %s is a duplicate', (_field, change) => {
  const stored = storedAs(makeVesEvent(1), 7);
  const { answers } = decided(stateAt(0, 9), [requestOf(1, makeVesEvent(1, change))], factsOf([stored]));
  expect(answers[0]!.rejections).toMatchObject([{ reason: 'duplicate-event-id' }]);
});

test('the second copy of an event id in a request is rejected, even when the first was a replay', () => {
  const event = makeVesEvent(1);
  const { answers } = decided(stateAt(0, 9), [requestOf(1, event, event)], factsOf([storedAs(event, 7)]));
  expect(answers[0]!.acceptances).toHaveLength(1);
  expect(answers[0]!.rejections).toMatchObject([{ reason: 'duplicate-event-id' }]);
});

test('two requests of one flush that bring the same event get the same sequence, and one of them is new', () => {
  const { answers, ves } = decided(stateAt(0, 0), [
    requestOf(1, makeVesEvent(1)),
    requestOf(2, makeVesEvent(1)),
  ]);
  expect(ves).toHaveLength(1);
  expect(answers.map((answer) => answer.acceptances[0])).toMatchObject([
    { sequence: 1, isNew: true, stored: null },
    { sequence: 1, isNew: false, stored: null },
  ]);
});

test('a request that is already in the log is acknowledged as it was, with its replays', () => {
  const [mine, replayed] = [makeVesEvent(1), makeVesEvent(2)];
  const facts = factsOf([storedAs(mine, 12, 1), storedAs(replayed, 5, 99)]);
  const { answers, ves } = decided(stateAt(0, 20), [requestOf(1, mine, replayed)], facts);
  expect(ves).toEqual([]);
  expect(answers[0]).toMatchObject({
    acceptances: [
      { sequence: 12, isNew: true },
      { sequence: 5, isNew: false },
    ],
    head: 12,
  });
});

test('a fault is reported only once it is sure that the event is not stored', () => {
  const event = makeVesEvent(1, { fault: { reason: 'signature-differs', message: 'no' } });
  const needs = decide(
    store,
    stateAt(0, 0),
    [requestOf(1, event)],
    factsOf([]),
    now,
    portableSha256,
  ) as Needs;
  expect([...needs.ves.events]).toEqual([event.eventId]);
  const { answers } = decided(stateAt(0, 0), [requestOf(1, event)], factsOf([], [event]));
  expect(answers[0]!.rejections).toMatchObject([{ reason: 'signature-differs' }]);
});
