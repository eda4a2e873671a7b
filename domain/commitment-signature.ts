import { type Commitment, streamIdHash } from './commitment.ts';
import { Preimage } from './preimage.ts';
import type { Sha256 } from './sha256.ts';
import type { Hash, Uuid } from './types.ts';

/** With what the sequencer vouches for a commitment, so that two differing views of one range can be held against it. */
export interface CommitmentSignature {
  readonly sequencerId: Uuid;
  readonly keyVersion: number;
  /** 64 bytes of Ed25519. */
  readonly signature: Uint8Array;
}

/**
 * What the sequencer signs: H("VES_COMMITMENT_V1" ‖ stream id ‖ world (one byte: 0 legacy, 1 VES) ‖ u64(start) ‖ u64(end)
 * ‖ root ‖ previous state root ‖ state root).
 */
export function commitmentSigningHash(
  commitment: Omit<Commitment, 'batchId' | 'leafCount' | 'committedAt'>,
  sha256: Sha256,
): Hash {
  return new Preimage('VES_COMMITMENT_V1')
    .bytes(streamIdHash(commitment, sha256))
    .bytes(Uint8Array.of(commitment.world === 'ves' ? 1 : 0))
    .u64(commitment.sequenceStart)
    .u64(commitment.sequenceEnd)
    .bytes(commitment.root)
    .bytes(commitment.previousStateRoot)
    .bytes(commitment.stateRoot)
    .hash(sha256);
}
