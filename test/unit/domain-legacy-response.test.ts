import { utf8Bytes } from '../../domain/bytes.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import { readLegacyRequest } from '../../domain/legacy/request.ts';
import { writeEntityHistory, writeEventList } from '../../domain/legacy/response.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { EntityVersion, Hash, Micros, Sequence } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';

const id = parseUuid('11111111-1111-4111-8111-111111111111')!;

function stored(changes: Partial<StoredLegacyEvent> = {}): StoredLegacyEvent {
  return {
    tenantId: id,
    storeId: id,
    sequence: 7 as Sequence,
    sequencedAt: 1_766_255_483_000_001n as Micros,
    eventId: id,
    commandId: null,
    entityType: 'order',
    entityId: 'ORD-"1"é',
    eventType: 'order.created',
    sourceAgent: id,
    createdAt: 1_766_255_482_100_000n as Micros,
    baseVersion: null,
    payload: utf8Bytes('{"b": 1.0, "a":[ ]}'),
    payloadHash: new Uint8Array(32).fill(0xab) as Uint8Array as Hash,
    leafHash: new Uint8Array(32) as Uint8Array as Hash,
    signature: null,
    ...changes,
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

test('an event is written with the payload as it was received and without absent fields', () => {
  expect(text(writeEventList([stored()]))).toBe(
    `{"events":[{"envelope":{"envelope_version":1,"event_id":"${id}","tenant_id":"${id}","store_id":"${id}",` +
      `"entity_type":"order","entity_id":"ORD-\\"1\\"é","event_type":"order.created","payload":{"b": 1.0, "a":[ ]},` +
      `"payload_hash":"${'ab'.repeat(32)}","created_at":"2025-12-20T18:31:22.100Z","sequence_number":7,` +
      `"source_agent":"${id}"},"sequenced_at":"2025-12-20T18:31:23.000001Z"}],"count":1}`,
  );
});

test('optional fields that are there are written in their places', () => {
  const bytes = writeEventList([
    stored({ commandId: id, baseVersion: 0 as EntityVersion, signature: Uint8Array.of(0, 255) }),
  ]);
  const { events } = JSON.parse(text(bytes));
  expect(Object.keys(events[0].envelope)).toEqual([
    'envelope_version',
    'event_id',
    'command_id',
    'tenant_id',
    'store_id',
    'entity_type',
    'entity_id',
    'event_type',
    'payload',
    'payload_hash',
    'base_version',
    'created_at',
    'sequence_number',
    'source_agent',
    'signature',
  ]);
  expect(events[0].envelope).toMatchObject({ command_id: id, base_version: 0, signature: [0, 255] });
});

test('an empty signature is not an absent one', () => {
  const { events } = JSON.parse(text(writeEventList([stored({ signature: new Uint8Array(0) })])));
  expect(events[0].envelope.signature).toEqual([]);
});

test('a list counts its events', () => {
  expect(text(writeEventList([]))).toBe('{"events":[],"count":0}');
  const { events, count } = JSON.parse(text(writeEventList([stored(), stored({ sequence: 8 as Sequence })])));
  expect(count).toBe(2);
  expect(events.map((event: any) => event.envelope.sequence_number)).toEqual([7, 8]);
});

test('a page of an entity says how many there are, and whether more follow', () => {
  const page = { entityType: 'order', entityId: 'a"b', events: [stored(), stored()], offset: 2, total: 4 };
  const last = JSON.parse(text(writeEntityHistory(page)));
  expect(last).toMatchObject({ entity_type: 'order', entity_id: 'a"b', count: 2, total: 4, has_more: false });
  expect(JSON.parse(text(writeEntityHistory({ ...page, total: 5 }))).has_more).toBe(true);
  expect(text(writeEntityHistory({ ...page, events: [], offset: 0, total: 0 }))).toBe(
    '{"entity_type":"order","entity_id":"a\\"b","events":[],"count":0,"total":0,"has_more":false}',
  );
});

test('an event that was read and sent back has the same payload hash', () => {
  const body = text(writeEventList([stored()])).replace(/^\{"events":\[\{"envelope":/, `{"events":[`);
  const request = body.replace(/,"sequenced_at":"[^"]*"\}\],"count":1\}$/, ']}');
  const [event] = readLegacyRequest(utf8Bytes(request), portableSha256).events;
  expect(event).toMatchObject({ entityId: 'ORD-"1"é', payload: stored().payload, payloadHashDiffers: true });
});
