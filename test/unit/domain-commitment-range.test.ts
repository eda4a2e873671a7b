import { createHash } from 'node:crypto';
import { judgeRange } from '../../domain/commitment-range.ts';
import { commitmentSigningHash } from '../../domain/commitment-signature.ts';
import { type Commitment, type EntityState, legacyStateRoot, noStateRoot } from '../../domain/commitment.ts';
import { toHex } from '../../domain/bytes.ts';
import { LegacyStateRoot } from '../../domain/legacy/state-root.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { EntityVersion, Hash, Head, Micros, Sequence, World } from '../../domain/types.ts';
import { nodeSha256Stream } from '../../services/node-sha256.ts';
import { uuid } from '../support/events.ts';

function commitment(start: number, end: number, world: World = 'ves'): Commitment {
  return {
    tenantId: uuid(1),
    storeId: uuid(2),
    world,
    batchId: uuid(start),
    sequenceStart: start as Sequence,
    sequenceEnd: end as Sequence,
    leafCount: end - start + 1,
    root: new Uint8Array(32).fill(1) as Uint8Array as Hash,
    previousStateRoot: noStateRoot,
    stateRoot: new Uint8Array(32).fill(2) as Uint8Array as Hash,
    committedAt: 0n as Micros,
  };
}

const head = 100 as Head;
const u64Max = 2n ** 64n - 1n;

describe.each(['legacy', 'ves'] as const)('a range of a %s stream', (world) => {
  const empty = { head, last: null, sameStart: null };
  const last = commitment(5, 10, world);

  test.each([
    [1n, 1n],
    [1n, 100n],
    [37n, 100n],
  ])('%i..%i can be the first', (start, end) => {
    expect(judgeRange(world, { start, end }, empty)).toEqual({
      kind: 'new',
      start: Number(start),
      end: Number(end),
    });
  });

  test('that begins after the last can be the next', () => {
    const verdict = judgeRange(world, { start: 11n, end: 12n }, { head, last, sameStart: null });
    expect(verdict).toEqual({ kind: 'new', start: 11, end: 12 });
  });

  test.each([
    ['ends before it begins', 7n, 6n, 'sequence_end 6 is below sequence_start 7'],
    ['begins at 0', 0n, 6n, 'sequence_start is 0; sequences begin at 1'],
    ['ends after the head', 1n, 101n, 'the stream has no events beyond 100, so 1..101 can'],
    ['ends at the end of u64', 1n, u64Max, 'the stream has no events beyond 100'],
    ['lies after the head', u64Max, u64Max, 'the stream has no events beyond 100'],
  ])('that %s is refused', (_what, start, end, sentence) => {
    expect(judgeRange(world, { start, end }, empty)).toEqual({
      kind: 'refused',
      sentence: expect.stringContaining(sentence),
    });
  });

  test.each([
    ['leaves a gap', 12n],
    ['overlaps', 10n],
    ['lies before the first', 1n],
    ['lies beyond 2^53', u64Max],
  ])('that %s is refused', (_what, start) => {
    const verdict = judgeRange(world, { start, end: u64Max }, { head, last, sameStart: null });
    expect(verdict).toEqual({
      kind: 'refused',
      sentence: `sequence_start is ${start}; the last commitment ends at 10, so the next begins at 11`,
    });
  });

  test('that begins like another and ends elsewhere is refused', () => {
    for (const end of [9n, 11n]) {
      const verdict = judgeRange(world, { start: 5n, end }, { head, last, sameStart: last });
      expect(verdict).toEqual({
        kind: 'refused',
        sentence: `5..10 is committed already (batch ${last.batchId}), so 5..${end} can't be`,
      });
    }
  });

  test('of more leaves than an u32 counts is refused', () => {
    const long = { head: (2 ** 33) as Head, last: null, sameStart: null };
    expect(judgeRange(world, { start: 1n, end: 2n ** 32n }, long).kind).toBe('refused');
    expect(judgeRange(world, { start: 2n, end: 2n ** 32n }, long).kind).toBe('new');
  });
});

test('repeating a range gives the commitment there is in VES, and is refused in legacy', () => {
  const last = commitment(5, 10);
  const facts = { head, last, sameStart: last };
  expect(judgeRange('ves', { start: 5n, end: 10n }, facts)).toEqual({ kind: 'existing', commitment: last });
  expect(judgeRange('legacy', { start: 5n, end: 10n }, facts)).toEqual({
    kind: 'refused',
    sentence: `5..10 is committed already (batch ${last.batchId})`,
  });
});

test('what is signed covers the world, the range and all three roots', () => {
  const one = commitment(1, 2);
  const base = toHex(commitmentSigningHash(one, portableSha256));
  const stream = createHash('sha256')
    .update('VES_STREAM_V1')
    .update(Buffer.from(one.tenantId.replaceAll('-', ''), 'hex'))
    .update(Buffer.from(one.storeId.replaceAll('-', ''), 'hex'))
    .digest();
  const range = Buffer.alloc(16);
  range.writeBigUInt64BE(1n, 0);
  range.writeBigUInt64BE(2n, 8);
  const expected = createHash('sha256')
    .update('VES_COMMITMENT_V1')
    .update(stream)
    .update(Uint8Array.of(1))
    .update(range)
    .update(one.root)
    .update(one.previousStateRoot)
    .update(one.stateRoot)
    .digest('hex');
  expect(base).toBe(expected);
  const other = new Uint8Array(32).fill(9) as Uint8Array as Hash;
  const changes: Partial<Commitment>[] = [
    { world: 'legacy' },
    { sequenceStart: 2 as Sequence },
    { sequenceEnd: 3 as Sequence },
    { root: other },
    { previousStateRoot: other },
    { stateRoot: other },
    { storeId: uuid(3) },
  ];
  for (const change of changes) {
    expect(toHex(commitmentSigningHash({ ...one, ...change }, portableSha256))).not.toBe(base);
  }
});

test.each([0, 1, 7, 500])('the legacy state root of %i entities comes out the same in parts', (count) => {
  const store = { tenantId: uuid(1), storeId: uuid(2) };
  const entities = Array.from({ length: count }, (_, index): EntityState => ({
    entityType: 'order',
    entityId: `é-${String(index).padStart(4, '0')}`,
    version: (index * 1_000_003) as EntityVersion,
  }));
  const inParts = new LegacyStateRoot(store, nodeSha256Stream());
  for (let at = 0; at < count; at += 3) inParts.add(entities.slice(at, at + 3));
  expect(toHex(inParts.finish())).toBe(toHex(legacyStateRoot(store, entities, portableSha256)));
});
