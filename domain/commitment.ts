import { compareUtf8, sameBytes, toHex } from './bytes.ts';
import { Preimage } from './preimage.ts';
import type { Sha256 } from './sha256.ts';
import { storeKeyText } from './types.ts';
import type { EntityVersion, Hash, Micros, Sequence, StoreKey, StreamKey, Uuid } from './types.ts';

/**
 * A range of one stream, frozen under a Merkle root and chained to the commitment before it. Neither the root nor the chain
 * ever changes once it is stored.
 */
export interface Commitment extends StreamKey {
  /** Random; derived from nothing. */
  readonly batchId: Uuid;
  readonly sequenceStart: Sequence;
  readonly sequenceEnd: Sequence;
  /** Without padding. */
  readonly leafCount: number;
  readonly root: Hash;
  /** The state root of the commitment before, or `noStateRoot` for a stream's first. */
  readonly previousStateRoot: Hash;
  readonly stateRoot: Hash;
  readonly committedAt: Micros;
}

/** What a stream's first commitment follows: 32 zero bytes. */
export const noStateRoot = new Uint8Array(32) as Uint8Array as Hash;

/** H("VES_STREAM_V1" ‖ tenant ‖ store): what names a VES stream in hashes (ves-format 7). */
export function streamIdHash(store: StoreKey, sha256: Sha256): Hash {
  return new Preimage('VES_STREAM_V1').uuid(store.tenantId).uuid(store.storeId).hash(sha256);
}

/**
 * The state root of a VES commitment (ves-format 7): H("VES_STATE_ROOT_V1" ‖ stream id ‖ previous state root ‖ Merkle root ‖
 * u64(start) ‖ u64(end) ‖ u32(leaf count)). It covers every commitment before it.
 */
export function vesStateRoot(
  commitment: Omit<Commitment, 'batchId' | 'world' | 'stateRoot' | 'committedAt'>,
  sha256: Sha256,
): Hash {
  return new Preimage('VES_STATE_ROOT_V1')
    .bytes(streamIdHash(commitment, sha256))
    .bytes(commitment.previousStateRoot)
    .bytes(commitment.root)
    .u64(commitment.sequenceStart)
    .u64(commitment.sequenceEnd)
    .u32(commitment.leafCount)
    .hash(sha256);
}

/** How many events of either world an entity has seen. */
export interface EntityState {
  readonly entityType: string;
  readonly entityId: string;
  readonly version: EntityVersion;
}

/**
 * The state root of a legacy commitment (ves-format 8.3): over the versions of all entities of the store at the moment of
 * committing, in any order given. It covers neither the Merkle root nor the commitment before, and can't be rebuilt from
 * the range alone.
 */
export function legacyStateRoot(store: StoreKey, entities: readonly EntityState[], sha256: Sha256): Hash {
  const preimage = new Preimage('').uuid(store.tenantId).uuid(store.storeId);
  const sorted = entities.toSorted(
    (a, b) => compareUtf8(a.entityType, b.entityType) || compareUtf8(a.entityId, b.entityId),
  );
  for (const { entityType, entityId, version } of sorted) {
    preimage.rawText(entityType).rawText(entityId).u64le(version);
  }
  return preimage.hash(sha256);
}

/**
 * Checks that a commitment is what it says and follows the one before: the range and the count agree, the range begins where
 * the one before ended, it names that one's state root, and in VES its own state root is the one that follows from all this.
 * @param previous of the same stream, or null when `next` is the stream's first; a first range may begin anywhere
 * @returns null when the link holds, else a sentence with the values that break it
 */
export function brokenLink(previous: Commitment | null, next: Commitment, sha256: Sha256): string | null {
  const { sequenceStart, sequenceEnd, leafCount } = next;
  const range = `${sequenceStart}..${sequenceEnd}`;
  if (leafCount !== sequenceEnd - sequenceStart + 1 || leafCount < 1 || sequenceStart < 1) {
    return `the range ${range} does not have ${leafCount} leaves`;
  }
  if (previous !== null) {
    if (previous.world !== next.world || storeKeyText(previous) !== storeKeyText(next)) {
      return `${storeKeyText(next)} (${next.world}) is not the stream ${storeKeyText(previous)} (${previous.world})`;
    }
    if (previous.sequenceEnd + 1 !== sequenceStart) {
      return `the range ${range} does not begin after ${previous.sequenceEnd}`;
    }
  }
  const expected = previous?.stateRoot ?? noStateRoot;
  if (!sameBytes(next.previousStateRoot, expected)) {
    return `${range} names the state root ${toHex(next.previousStateRoot)}; the one before is ${toHex(expected)}`;
  }
  if (next.world === 'ves') {
    const stateRoot = vesStateRoot(next, sha256);
    if (!sameBytes(next.stateRoot, stateRoot)) {
      return `${range} has the state root ${toHex(next.stateRoot)}; from its content follows ${toHex(stateRoot)}`;
    }
  }
  return null;
}
