import { sameBytes, toHex } from '../bytes.ts';
import { commitmentSigningHash } from '../commitment-signature.ts';
import { noStateRoot, vesStateRoot } from '../commitment.ts';
import type { SignedCommitment } from './read-commitment.ts';
import { checkSequencerSignature, noteUnsigned, type VerifyContext } from './verify-signature.ts';

export function commitmentSubject({ sequenceStart, sequenceEnd }: SignedCommitment): string {
  return `commitment ${sequenceStart}..${sequenceEnd}`;
}

/**
 * Checks what a commitment says about itself: its count of leaves, in VES its state root, and the sequencer's signature. A
 * legacy state root is over all entities of the store at that moment, and can't be worked out from the range.
 */
export function verifyCommitment(commitment: SignedCommitment, context: VerifyContext): void {
  const { checklist, cryptography } = context;
  const subject = commitmentSubject(commitment);
  const { world, sequenceStart, sequenceEnd, leafCount } = commitment;
  const countHolds = leafCount === sequenceEnd - sequenceStart + 1 && leafCount > 0;
  checklist.note('range', subject, countHolds, `${sequenceStart}..${sequenceEnd} with ${leafCount} leaves`);
  if (world === 'ves') {
    const expected = vesStateRoot(commitment, cryptography.sha256);
    const holds = sameBytes(commitment.stateRoot, expected);
    const detail = holds
      ? toHex(expected)
      : `it is ${toHex(commitment.stateRoot)}; from the commitment follows ${toHex(expected)}`;
    checklist.note('state-root', subject, holds, detail);
  }
  const check = { rule: 'commitment-signature', subject } as const;
  if (commitment.signature === null) {
    noteUnsigned(check, context);
  } else {
    const hash = commitmentSigningHash(commitment, cryptography.sha256);
    checkSequencerSignature(check, hash, commitment.signature, context);
  }
}

/**
 * Checks that a commitment follows the one before it.
 * @param previous `none` for a stream's first, which may begin anywhere
 */
export function verifyLink(
  previous: SignedCommitment | 'none',
  next: SignedCommitment,
  { checklist }: VerifyContext,
): void {
  const subject = commitmentSubject(next);
  const end = previous === 'none' ? null : previous.sequenceEnd;
  if (end !== null && next.sequenceStart !== end + 1) {
    checklist.failed('range', subject, `the commitment before it ends at ${end}`);
  }
  const expected = previous === 'none' ? noStateRoot : previous.stateRoot;
  const holds = sameBytes(next.previousStateRoot, expected);
  const after = previous === 'none' ? 'it is the first' : `it follows ${commitmentSubject(previous)}`;
  const detail = holds
    ? after
    : `it names the state root ${toHex(next.previousStateRoot)}; ${after}, so expected is ${toHex(expected)}`;
  checklist.note('chain', subject, holds, detail);
}
