import { InvariantBroken } from '../errors.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, LeafIndex, World } from '../types.ts';
import { treeRules } from './node.ts';

/** What leads from one leaf to the root (ves-format 7.1 and 8.4). */
export interface InclusionProof {
  readonly leafHash: Hash;
  readonly leafIndex: LeafIndex;
  /** The siblings, from the leaves up. A level at which a legacy node moved up unchanged has none. */
  readonly path: readonly Hash[];
  /**
   * For each sibling, whether the node of the path is the left one; taken from the low bits of the index. That is the wire's
   * rule, and wrong for a legacy leaf above which a level was skipped.
   */
  readonly directions: readonly boolean[];
  /** The same, as it really is. */
  readonly trueDirections: readonly boolean[];
}

/** A Merkle tree over the leaves of one range, in sequence order. */
export class MerkleTree {
  readonly leafCount: number;
  /** The leaves, the nodes above them, and so on to the root alone; without padding. */
  readonly levels: readonly (readonly Hash[])[];
  /** What stands beside the last node of an odd level, by level; empty when there is no padding. */
  private readonly pads: readonly Hash[];

  constructor(world: World, leaves: readonly Hash[], sha256: Sha256) {
    const { node, padLeaf } = treeRules[world];
    const levels = [leaves];
    const pads: Hash[] = [];
    let pad = padLeaf;
    for (let below = leaves; below.length > 1;) {
      const level: Hash[] = [];
      for (let index = 0; index < below.length; index += 2) {
        const left = below[index]!;
        const right = below[index + 1] ?? pad;
        level.push(right === null ? left : node(left, right, sha256));
      }
      if (pad !== null) {
        pads.push(pad);
        pad = node(pad, pad, sha256);
      }
      levels.push(level);
      below = level;
    }
    this.leafCount = leaves.length;
    this.levels = levels;
    this.pads = pads;
  }

  /** The root; for no leaves 32 zero bytes, though nothing can be committed then, and for one the leaf itself. */
  get root(): Hash {
    return this.levels.at(-1)?.[0] ?? (new Uint8Array(32) as Uint8Array as Hash);
  }

  /** @throws InvariantBroken when there is no such leaf */
  prove(leafIndex: LeafIndex): InclusionProof {
    const leafHash = this.levels[0]?.[leafIndex];
    if (leafHash === undefined) {
      throw new InvariantBroken(`there is no leaf ${leafIndex} among ${this.leafCount}`);
    }
    const path: Hash[] = [];
    const trueDirections: boolean[] = [];
    this.levels.slice(0, -1).forEach((level, height) => {
      const index = Math.floor(leafIndex / 2 ** height);
      const isLeft = index % 2 === 0;
      const sibling = level[isLeft ? index + 1 : index - 1] ?? this.pads[height];
      if (sibling === undefined) return;
      path.push(sibling);
      trueDirections.push(isLeft);
    });
    const directions = path.map((_, depth) => Math.floor(leafIndex / 2 ** depth) % 2 === 0);
    return { leafHash, leafIndex, path, directions, trueDirections };
  }
}

/** The number of levels above the leaves. */
export function treeDepth(leafCount: number): number {
  return leafCount <= 1 ? 0 : 32 - Math.clz32(leafCount - 1);
}

/** The number of leaves with padding: the next power of two. */
export function paddedLeafCount(leafCount: number): number {
  return leafCount === 0 ? 0 : 2 ** treeDepth(leafCount);
}
