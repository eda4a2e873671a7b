import { utf8Bytes, writeBytes, writeText, writeU64 } from '../bytes.ts';
import { canonicalText } from '../json/canonical.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, Sequence, StoreKey } from '../types.ts';
import { writeUuid } from '../uuid.ts';

/**
 * The hash of a payload: over its canonical legacy text, with no domain before it (ves-format 8.2). Reading a request
 * computes it on the way; this is for those who have the payload only.
 * @param payload JSON text, in any layout
 * @throws Refused with `UNREADABLE_JSON`
 */
export function legacyPayloadHash(payload: Uint8Array, sha256: Sha256): Hash {
  return sha256(canonicalText(payload, 'legacy'));
}

/**
 * The leaf of a legacy event (ves-format 8.2):
 * H("STATESET_COMMITMENT_LEAF_V1" ‖ tenant ‖ store ‖ u64(sequence) ‖ payload hash ‖ str(entity type) ‖ str(entity id)).
 */
export function legacyLeafHash(
  store: StoreKey,
  sequence: Sequence,
  payloadHash: Hash,
  entityType: string,
  entityId: string,
  sha256: Sha256,
): Hash {
  const room = fixedBytes + 3 * (entityType.length + entityId.length);
  const target = room <= scratch.length ? scratch : new Uint8Array(room);
  let at = writeStart(store, target);
  at = writeU64(sequence, target, at);
  at = writeBytes(payloadHash, target, at);
  at = writeText(entityType, target, at);
  at = writeText(entityId, target, at);
  return sha256(target === scratch ? (scratchViews[at] ??= scratch.subarray(0, at)) : target.subarray(0, at));
}

/** Writes what all events of a store begin with, which a flush has a thousand times in a row. */
function writeStart({ tenantId, storeId }: StoreKey, target: Uint8Array): number {
  const isThere =
    target === scratch && tenantId === scratchStore.tenantId && storeId === scratchStore.storeId;
  if (isThere) return startBytes;
  target.set(leafDomain);
  writeUuid(storeId, target, writeUuid(tenantId, target, leafDomain.length));
  if (target === scratch) scratchStore = { tenantId, storeId };
  return startBytes;
}

const leafDomain = utf8Bytes('STATESET_COMMITMENT_LEAF_V1');
const startBytes = leafDomain.length + 16 + 16;
const fixedBytes = startBytes + 8 + 32 + 4 + 4;
/** Entity types are at most 128 bytes and entity ids at most 512, so every accepted event fits. */
const scratch = new Uint8Array(fixedBytes + 3 * (128 + 512));
/** By length, made when one is needed first: making a view takes a good part of the time of hashing it. */
const scratchViews = new Array<Uint8Array | undefined>(scratch.length + 1);
/** The store whose start is in `scratch`. */
let scratchStore: { tenantId: string; storeId: string } = { tenantId: '', storeId: '' };
