import { sameBytes, toHex } from '../bytes.ts';
import { trueDirections as trueDirectionsOf, verifyInclusion } from '../merkle/inclusion-proof.ts';
import { leafIndexOf } from '../types.ts';
import type { Bundle } from './read-bundle.ts';
import { addKeys } from './add-keys.ts';
import { verifyCommitment, commitmentSubject } from './verify-commitment.ts';
import { leafOf, verifyEvent } from './verify-event.ts';
import { verifyReceipt } from './verify-receipt.ts';
import type { VerifyContext } from './verify-signature.ts';

/**
 * Checks a whole proof bundle: the event, its receipt, that its leaf is under the root of the commitment, and that the
 * sequencer signed that commitment; and that all parts speak of the same event and the same commitment.
 */
export function verifyBundle(bundle: Bundle, context: VerifyContext): void {
  const { event: found, receipt, commitment, proof } = bundle;
  const subject = `event ${proof.sequence}`;
  addKeys(bundle.keys, context);
  verifyEvent(subject, found, context);
  if (receipt !== null && found.world === 'ves') verifyReceipt(subject, receipt, found.event, context);
  noteSequences(subject, bundle, context);
  noteLeaf(subject, bundle, context);
  noteInclusion(subject, bundle, context);
  noteProofForm(subject, bundle, context);
  noteStream(subject, bundle, context);
  verifyCommitment(commitment, context);
}

function noteSequences(
  subject: string,
  { event, receipt, proof }: Bundle,
  { checklist }: VerifyContext,
): void {
  const others = [event.sequence, receipt?.sequence ?? null].filter((sequence) => sequence !== null);
  const holds = others.every((sequence) => sequence === proof.sequence);
  const detail = holds
    ? `event, receipt and proof name sequence ${proof.sequence}`
    : `the proof is for ${proof.sequence}; event and receipt say ${others.join(' and ')}`;
  checklist.note('order', subject, holds, detail);
}

function noteLeaf(subject: string, { event, proof }: Bundle, context: VerifyContext): void {
  const expected = leafOf(event, proof.sequence, context);
  const holds = sameBytes(proof.leafHash, expected);
  const detail = holds
    ? toHex(expected)
    : `it is ${toHex(proof.leafHash)}; from the event at sequence ${proof.sequence} follows ${toHex(expected)}`;
  context.checklist.note('leaf', subject, holds, detail);
}

function noteInclusion(
  subject: string,
  { proof, commitment }: Bundle,
  { checklist, cryptography: { sha256 } }: VerifyContext,
): void {
  const { world, leafCount, root } = commitment;
  const holds = verifyInclusion(world, { ...proof, root }, leafCount, sha256);
  const where = `leaf ${proof.leafIndex} of ${leafCount}`;
  const detail = holds
    ? `${where}, ${proof.path.length} hashes up to ${toHex(root)}`
    : `as ${where} it does not lead to ${toHex(root)}`;
  checklist.note('inclusion', subject, holds, detail);
}

/** What the proof says beside the path must be what the commitment and the index say. */
function noteProofForm(subject: string, { proof, commitment }: Bundle, { checklist }: VerifyContext): void {
  const { sequenceStart, sequenceEnd, leafCount, batchId, root } = commitment;
  const { sequence, leafIndex, directions, trueDirections } = proof;
  const isWithin = sequence >= sequenceStart && sequence <= sequenceEnd;
  const faults = [
    isWithin ? null : `${sequence} is not in ${sequenceStart}..${sequenceEnd}`,
    leafIndex === leafIndexOf(sequence, sequenceStart) ? null : `its leaf_index is ${leafIndex}`,
    proof.leafCount === null || proof.leafCount === leafCount ? null : `its leaf_count is ${proof.leafCount}`,
    proof.batchId === batchId ? null : `it names the commitment ${proof.batchId}; this is ${batchId}`,
    sameBytes(proof.root, root) ? null : `it names the root ${toHex(proof.root)}`,
    directions === null || agree(directions, lowBits(leafIndex, proof.path.length))
      ? null
      : 'its directions are not those of its leaf_index',
    trueDirections === null || agree(trueDirections, trueDirectionsOf(commitment.world, leafIndex, leafCount))
      ? null
      : 'its true_directions are not those of its leaf_index',
  ].filter((fault) => fault !== null);
  const detail =
    faults.length === 0 ? `event ${sequence} is in ${commitmentSubject(commitment)}` : faults.join('; ');
  checklist.note('range', subject, faults.length === 0, detail);
}

function noteStream(subject: string, { event, commitment }: Bundle, { checklist }: VerifyContext): void {
  const { tenantId, storeId } = event.event;
  if (
    event.world === commitment.world &&
    tenantId === commitment.tenantId &&
    storeId === commitment.storeId
  ) {
    return;
  }
  checklist.failed('range', subject, 'the commitment is of another stream than the event');
}

/** The rule of the wire: whether the path's node is the left one, by the bits of the index from the lowest up. */
function lowBits(leafIndex: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, depth) => Math.floor(leafIndex / 2 ** depth) % 2 === 0);
}

function agree(a: readonly boolean[], b: readonly boolean[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
