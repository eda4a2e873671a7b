import { parseHex, toHex } from '../../domain/bytes.ts';
import {
  brokenLink,
  legacyStateRoot,
  noStateRoot,
  streamIdHash,
  vesStateRoot,
} from '../../domain/commitment.ts';
import type { Commitment, EntityState } from '../../domain/commitment.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { EntityVersion, Hash, Micros, Sequence, StoreKey, World } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { vectors } from '../vectors/ves-v1.ts';

function hash(hex: string): Hash {
  return parseHex(hex, 32) as Hash;
}

function storeOf({ tenant_id, store_id }: { tenant_id: string; store_id: string }): StoreKey {
  return { tenantId: parseUuid(tenant_id)!, storeId: parseUuid(store_id)! };
}

function chainOf(world: World): Commitment[] {
  const stream = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;
  return stream.commitments.map((vector) => ({
    ...storeOf(stream),
    world,
    batchId: parseUuid('11111111-1111-4111-8111-111111111111')!,
    sequenceStart: vector.sequence_start as Sequence,
    sequenceEnd: vector.sequence_end as Sequence,
    leafCount: 'leaf_count' in vector ? vector.leaf_count : vector.event_count,
    root: hash('merkle_root' in vector ? vector.merkle_root : vector.events_root),
    previousStateRoot: hash(vector.prev_state_root),
    stateRoot: hash(vector.new_state_root),
    committedAt: 0n as Micros,
  }));
}

function entity(entityType: string, entityId: string, version: number): EntityState {
  return { entityType, entityId, version: version as EntityVersion };
}

test.each(vectors.streams)('the id of the stream of store $store_id', (vector) => {
  const streamId = streamIdHash(storeOf(vector), portableSha256);
  expect(toHex(streamId)).toBe(vector.stream_id);
  expect(Buffer.from(streamId).readBigInt64BE(0)).toBe(BigInt(vector.first8_as_i64));
});

test.each(chainOf('ves'))('the VES state root at $sequenceStart..$sequenceEnd', (commitment) => {
  expect(toHex(vesStateRoot(commitment, portableSha256))).toBe(toHex(commitment.stateRoot));
});

test.each(vectors.legacy_stream.commitments)(
  'the legacy state root at $sequence_start..$sequence_end, in whatever order the entities come',
  ({ sequence_end, new_state_root }) => {
    const entities = new Map<string, EntityState>();
    for (const { event } of vectors.legacy_stream.events.slice(0, sequence_end)) {
      const key = `${event.entity_type} ${event.entity_id}`;
      const version = (entities.get(key)?.version ?? 0) + 1;
      entities.set(key, entity(event.entity_type, event.entity_id, version));
    }
    const store = storeOf(vectors.legacy_stream);
    const states = [...entities.values()];
    expect(toHex(legacyStateRoot(store, states, portableSha256))).toBe(new_state_root);
    expect(toHex(legacyStateRoot(store, states.toReversed(), portableSha256))).toBe(new_state_root);
  },
);

test('the legacy state root of a store without entities', () => {
  const root = legacyStateRoot(storeOf(vectors.legacy_stream), [], portableSha256);
  expect(toHex(root)).toBe(vectors.legacy_stream.empty_state_root);
});

test('the legacy state root of the worked example', () => {
  const store = storeOf({
    tenant_id: '00000000-0000-0000-0000-000000000001',
    store_id: '00000000-0000-0000-0000-000000000002',
  });
  expect(toHex(legacyStateRoot(store, [entity('order', 'ORD-001', 1)], portableSha256))).toBe(
    '82c2751fafb57e742e0fa761cc393af01277457822c411f11dc48619e48c4d30',
  );
});

test('entities are ordered by the bytes of their names, not by UTF-16 units', () => {
  const store = storeOf(vectors.legacy_stream);
  // The two orders give the same bytes only if they sort alike, since nothing separates the fields.
  const apart = [entity('\u{1f600}', 'a', 1), entity('\ufb33', 'a', 2)];
  const preimage = Buffer.concat([
    ...[store.tenantId, store.storeId].map((uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex')),
    Buffer.from('\ufb33a'),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from('\u{1f600}a'),
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  expect(legacyStateRoot(store, apart, portableSha256)).toEqual(portableSha256(preimage));
});

describe.each(['ves', 'legacy'] as const)('the chain of the published %s stream', (world) => {
  const chain = chainOf(world);

  test('holds from its first commitment to its last', () => {
    const faults = chain.map((next, index) => brokenLink(chain[index - 1] ?? null, next, portableSha256));
    expect(faults).toEqual(chain.map(() => null));
  });

  test('breaks where anything that it covers was changed', () => {
    const [, previous, next] = chain as [Commitment, Commitment, Commitment];
    const flipped = (bytes: Hash): Hash =>
      Uint8Array.from(bytes, (byte, index) => byte ^ (index === 9 ? 4 : 0)) as any;
    const faultOf = (changes: Partial<Commitment>): string | null =>
      brokenLink(previous, { ...next, ...changes }, portableSha256);
    expect(faultOf({})).toBeNull();
    expect(faultOf({ previousStateRoot: flipped(next.previousStateRoot) })).toContain('names the state root');
    expect(faultOf({ leafCount: next.leafCount + 1 })).toContain('does not have');
    expect(
      faultOf({ sequenceStart: (next.sequenceStart + 1) as Sequence, leafCount: next.leafCount - 1 }),
    ).toContain('does not begin after');
    expect(faultOf({ tenantId: next.storeId })).toContain('is not the stream');
    expect(faultOf({ world: world === 'ves' ? 'legacy' : 'ves' })).toContain('is not the stream');
    expect(brokenLink(null, next, portableSha256)).toContain('names the state root');
    // A legacy state root covers neither the root nor the range.
    for (const changes of [{ root: flipped(next.root) }, { stateRoot: flipped(next.stateRoot) }]) {
      if (world === 'ves') expect(faultOf(changes)).toContain('from its content follows');
      else expect(faultOf(changes)).toBeNull();
    }
  });

  test('may begin anywhere, but with no state before it', () => {
    const [first] = chain as [Commitment];
    expect(first.previousStateRoot).toEqual(noStateRoot);
    const later = { ...first, sequenceStart: 9 as Sequence, sequenceEnd: 9 as Sequence };
    const stateRoot = world === 'ves' ? vesStateRoot(later, portableSha256) : first.stateRoot;
    expect(brokenLink(null, { ...later, stateRoot }, portableSha256)).toBeNull();
    expect(brokenLink(null, { ...first, sequenceStart: 0 as Sequence }, portableSha256)).toContain(
      'does not have',
    );
  });
});
