import { sameBytes } from '../bytes.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, World } from '../types.ts';
import { treeRules } from './node.ts';

/** The claim that a leaf stands at an index under a root. */
export interface InclusionClaim {
  readonly leafHash: Hash;
  /** 0-based; an u64, so a bigint where it comes from the wire. */
  readonly leafIndex: number | bigint;
  readonly path: readonly Hash[];
  readonly root: Hash;
}

/**
 * Checks a claim by the index rule alone (ves-format 7.1), which is what the reference does and old clients expect. It
 * ignores bits of the index beyond the path, and can't follow a legacy path on which a level was skipped: it says false to
 * some true claims. With the number of leaves at hand use `verifyInclusion`.
 */
export function verifyByIndex(world: World, claim: InclusionClaim, sha256: Sha256): boolean {
  const leafIndex = BigInt(claim.leafIndex);
  const directions = claim.path.map((_, depth) => ((leafIndex >> BigInt(depth)) & 1n) === 0n);
  return leadsToRoot(world, claim, directions, sha256);
}

/**
 * Checks a claim about a tree of `leafCount` leaves: right for every leaf of both worlds, and true for one index only.
 */
export function verifyInclusion(
  world: World,
  claim: InclusionClaim,
  leafCount: number,
  sha256: Sha256,
): boolean {
  const leafIndex = Number(claim.leafIndex);
  if (!Number.isSafeInteger(leafCount) || !(leafIndex >= 0 && leafIndex < leafCount)) return false;
  const directions = trueDirections(world, leafIndex, leafCount);
  return directions.length === claim.path.length && leadsToRoot(world, claim, directions, sha256);
}

/** For each sibling that a leaf's path has, whether the path's node is the left one. */
export function trueDirections(world: World, leafIndex: number, leafCount: number): boolean[] {
  const isPadded = treeRules[world].padLeaf !== null;
  const directions: boolean[] = [];
  let index = leafIndex;
  for (let width = leafCount; width > 1; width = Math.ceil(width / 2)) {
    const isLeft = index % 2 === 0;
    if (!isLeft || index + 1 < width || isPadded) directions.push(isLeft);
    index = Math.floor(index / 2);
  }
  return directions;
}

function leadsToRoot(
  world: World,
  { leafHash, path, root }: InclusionClaim,
  directions: readonly boolean[],
  sha256: Sha256,
): boolean {
  const { node } = treeRules[world];
  const reached = path.reduce(
    (current, sibling, depth) =>
      directions[depth] === true ? node(current, sibling, sha256) : node(sibling, current, sha256),
    leafHash,
  );
  return sameBytes(reached, root);
}
