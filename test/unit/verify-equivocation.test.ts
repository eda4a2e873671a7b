import { utf8Bytes } from '../../domain/bytes.ts';
import {
  type Equivocation,
  findEquivocation,
  KeyRing,
  portableCryptography,
  readEvidence,
  readKeysDocument,
  type SignedCommitment,
} from '../../domain/verify/verify.ts';
import {
  type CommitmentText,
  commitmentTexts,
  sequencerKeysAnswer,
  signedCommitment,
} from '../support/evidence.ts';

const keys = new KeyRing(readKeysDocument(utf8Bytes(JSON.stringify(sequencerKeysAnswer))));
const texts = commitmentTexts('ves');
const honest = texts.map(read);

function read(text: CommitmentText): SignedCommitment {
  const evidence = readEvidence(utf8Bytes(JSON.stringify(text)), portableCryptography.sha256);
  if (evidence.kind !== 'commitment') throw new Error(`read as ${evidence.kind}`);
  return evidence.commitment;
}

function forged(index: number, fields: Partial<CommitmentText>): SignedCommitment {
  return read(signedCommitment('ves', { ...texts[index]!, ...fields }));
}

function between(other: SignedCommitment): Equivocation[] {
  return findEquivocation(honest, [other], keys);
}

test('two equal views do not contradict each other, whatever their ids and times', () => {
  const copies = honest.map((commitment) => ({
    ...commitment,
    batchId: honest[0]!.batchId,
    committedAt: 0n,
  }));
  expect(findEquivocation(honest, copies as SignedCommitment[], keys)).toEqual([]);
});

test('another root over the same range is an equivocation that both signatures prove', () => {
  expect(between(forged(3, { merkle_root: 'ab'.repeat(32) }))).toEqual([
    expect.objectContaining({
      kind: 'overlap',
      isProven: true,
      a: honest[3],
      detail: expect.stringMatching(/different roots/),
    }),
  ]);
});

test('a range that overlaps another is one', () => {
  const { sequenceStart, sequenceEnd } = honest[5]!;
  const other = forged(5, {
    sequence_end: sequenceEnd - 1,
    leaf_count: sequenceEnd - sequenceStart,
    padded_leaf_count: 16,
    tree_depth: 4,
  });
  expect(between(other)).toEqual([
    expect.objectContaining({ kind: 'overlap', isProven: true, a: honest[5] }),
  ]);
});

test('two that follow the same commitment are one, though no event is in both', () => {
  const other = forged(0, { sequence_start: 900, sequence_end: 900 });
  expect(between(other)).toEqual([expect.objectContaining({ kind: 'fork', isProven: true, a: honest[0] })]);
});

test('a contradiction that was not signed convicts nobody', () => {
  const { signature: _signature, ...unsigned } = forged(3, { merkle_root: 'ab'.repeat(32) });
  expect(between({ ...unsigned, signature: null })).toEqual([expect.objectContaining({ isProven: false })]);
  const stolen = { ...forged(3, { merkle_root: 'ab'.repeat(32) }), signature: honest[3]!.signature };
  expect(between(stolen)).toEqual([expect.objectContaining({ isProven: false })]);
});

test('commitments of another stream contradict nothing', () => {
  const other = forged(3, { merkle_root: 'ab'.repeat(32), store_id: '00000000-0000-4000-8000-000000000001' });
  expect(between(other)).toEqual([]);
});
