import { joinBytes } from '../bytes.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, LeafIndex, World } from '../types.ts';
import { type NodePlace, siblingPlaces } from './node-order.ts';
import { proofFromNodes } from './stored-proof.ts';
import { type InclusionProof, MerkleTree } from './tree.ts';

/** Levels of a tree that a group of leaves spans: with more, reading the others costs more than it may save. */
const groupHeight = 5;
export const groupLeafCount = 2 ** groupHeight;

/** Which leaves of a tree are neighbours, and what leads from the node above them to the root. */
export interface GroupPlaces {
  readonly firstLeaf: LeafIndex;
  /** `groupLeafCount`, but for the last group of a tree. */
  readonly leafCount: number;
  /** The siblings outside the group, from below. */
  readonly above: readonly NodePlace[];
}

/** The group of a leaf, in a tree of `leafCount` leaves. */
export function groupPlaces(leafIndex: LeafIndex, leafCount: number): GroupPlaces {
  const firstLeaf = (leafIndex - (leafIndex % groupLeafCount)) as LeafIndex;
  return {
    firstLeaf,
    leafCount: Math.min(groupLeafCount, leafCount - firstLeaf),
    above: siblingPlaces(firstLeaf, leafCount).filter(({ height }) => height >= groupHeight),
  };
}

/**
 * Neighbouring leaves of a Merkle tree, with what it takes to prove each of them. Its hashes are one array of bytes (with
 * all else 3 kB in a tree of a million leaves), since many groups are kept, and an object for each would be five times that.
 */
export class LeafGroup {
  private readonly world: World;
  private readonly sha256: Sha256;
  /** Of the whole tree. */
  private readonly leafCount: number;
  /** The nodes inside by level, from the leaves, then those above. */
  private readonly hashes: Uint8Array;
  /** For each height, the index that a node there would have in `hashes` if its index in the tree were 0. */
  private readonly starts: readonly number[];

  /** @param found the leaves, and the nodes above them in the order of the places */
  constructor(
    world: World,
    { firstLeaf, above }: GroupPlaces,
    found: { readonly leaves: readonly Hash[]; readonly above: readonly Hash[] },
    leafCount: number,
    sha256: Sha256,
  ) {
    const levels = new MerkleTree(world, found.leaves, sha256).levels.slice(0, groupHeight);
    const starts: number[] = [];
    let count = 0;
    levels.forEach((level, height) => {
      starts[height] = count - firstLeaf / 2 ** height;
      count += level.length;
    });
    above.forEach(({ height, index }, at) => (starts[height] = count + at - index));
    this.world = world;
    this.sha256 = sha256;
    this.leafCount = leafCount;
    this.hashes = joinBytes([...levels.flat(), ...found.above]);
    this.starts = starts;
  }

  /** @param leafIndex in the whole tree, one of the group's */
  prove(leafIndex: LeafIndex): InclusionProof {
    const { world, leafCount, sha256 } = this;
    const leafHash = this.hashAt({ height: 0, index: leafIndex });
    return proofFromNodes(world, { leafHash, leafIndex, leafCount }, (place) => this.hashAt(place), sha256);
  }

  private hashAt({ height, index }: NodePlace): Hash {
    const at = 32 * (this.starts[height]! + index);
    return this.hashes.slice(at, at + 32) as Hash;
  }
}
