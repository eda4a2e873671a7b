import { sameBytes } from '../bytes.ts';
import { commitmentSigningHash } from '../commitment-signature.ts';
import { storeKeyText } from '../types.ts';
import { type Cryptography, portableCryptography } from './cryptography.ts';
import type { KeyRing } from './keys.ts';
import type { SignedCommitment } from './read-commitment.ts';
import { commitmentSubject } from './verify-commitment.ts';

/** Two commitments of one stream that can't both be in its one chain. */
export interface Equivocation {
  readonly a: SignedCommitment;
  readonly b: SignedCommitment;
  /** `overlap`: an event is in both; `fork`: both follow the same commitment, or both claim to be the first. */
  readonly kind: 'overlap' | 'fork';
  /** Both are signed by the sequencer, so that it can't disown either. */
  readonly isProven: boolean;
  /** A sentence. */
  readonly detail: string;
}

/**
 * Looks for contradictions between two views of streams, such as two people's exports. Commitments of a stream never
 * overlap and never fork, so two that do, both signed, prove that the sequencer showed different things to different people.
 * @param keys to check the signatures with
 */
export function findEquivocation(
  a: readonly SignedCommitment[],
  b: readonly SignedCommitment[],
  keys: KeyRing,
  cryptography: Cryptography = portableCryptography,
): Equivocation[] {
  const found: Equivocation[] = [];
  const isProven = (one: SignedCommitment, other: SignedCommitment): boolean =>
    isSigned(one, keys, cryptography) && isSigned(other, keys, cryptography);
  const streams = byStream(b);
  for (const [stream, ofA] of byStream(a)) {
    const ofB = streams.get(stream) ?? [];
    for (const [one, other] of [...overlaps(ofA, ofB), ...forks(ofA, ofB)]) {
      if (isSame(one, other)) continue;
      if (found.some((known) => known.a === one && known.b === other)) continue;
      const kind = overlap(one, other) ? 'overlap' : 'fork';
      const detail = sentence(kind, one, other);
      found.push({ a: one, b: other, kind, isProven: isProven(one, other), detail });
    }
  }
  return found;
}

/** Pairs that have an event in common, found in one walk over both lists. */
function overlaps(a: readonly SignedCommitment[], b: readonly SignedCommitment[]): Pair[] {
  const pairs: Pair[] = [];
  let firstB = 0;
  for (const one of a) {
    while (firstB < b.length && b[firstB]!.sequenceEnd < one.sequenceStart) firstB++;
    for (let at = firstB; at < b.length && b[at]!.sequenceStart <= one.sequenceEnd; at++) {
      pairs.push([one, b[at]!]);
    }
  }
  return pairs;
}

/** Pairs that name the same state root as that of the one before. */
function forks(a: readonly SignedCommitment[], b: readonly SignedCommitment[]): Pair[] {
  const byPrevious = new Map(b.map((other) => [other.previousStateRoot.join(), other]));
  return a.flatMap((one): Pair[] => {
    const other = byPrevious.get(one.previousStateRoot.join());
    return other === undefined ? [] : [[one, other]];
  });
}

type Pair = readonly [SignedCommitment, SignedCommitment];

function overlap(one: SignedCommitment, other: SignedCommitment): boolean {
  return one.sequenceStart <= other.sequenceEnd && other.sequenceStart <= one.sequenceEnd;
}

/** All that is signed. The batch id and the time are not, and differ in no honest copy. */
function isSame(one: SignedCommitment, other: SignedCommitment): boolean {
  return (
    one.sequenceStart === other.sequenceStart &&
    one.sequenceEnd === other.sequenceEnd &&
    sameBytes(one.root, other.root) &&
    sameBytes(one.previousStateRoot, other.previousStateRoot) &&
    sameBytes(one.stateRoot, other.stateRoot)
  );
}

function sentence(kind: Equivocation['kind'], one: SignedCommitment, other: SignedCommitment): string {
  const both = `${commitmentSubject(one)} and ${commitmentSubject(other)}`;
  if (kind === 'fork') return `${both} follow the same commitment`;
  const sameRange = one.sequenceStart === other.sequenceStart && one.sequenceEnd === other.sequenceEnd;
  if (!sameRange) return `${both} overlap`;
  const what = sameBytes(one.root, other.root) ? 'state roots' : 'roots';
  return `${commitmentSubject(one)} has different ${what}`;
}

function isSigned(
  commitment: SignedCommitment,
  keys: KeyRing,
  { sha256, verifyEd25519 }: Cryptography,
): boolean {
  const { signature } = commitment;
  if (signature === null) return false;
  const key = keys.sequencerKey(signature.keyVersion);
  return key !== null && verifyEd25519(signature.signature, commitmentSigningHash(commitment, sha256), key);
}

/** By stream, each in the order of its ranges. */
function byStream(commitments: readonly SignedCommitment[]): Map<string, SignedCommitment[]> {
  const streams = new Map<string, SignedCommitment[]>();
  for (const commitment of commitments) {
    const stream = `${storeKeyText(commitment)}/${commitment.world}`;
    const known = streams.get(stream);
    if (known === undefined) streams.set(stream, [commitment]);
    else known.push(commitment);
  }
  for (const list of streams.values()) list.sort((one, other) => one.sequenceStart - other.sequenceStart);
  return streams;
}
