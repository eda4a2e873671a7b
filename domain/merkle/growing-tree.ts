import { InvariantBroken } from '../errors.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, World } from '../types.ts';
import { treeRules } from './node.ts';

/** Takes each node above the leaves as soon as it is known, in the order of node-order.ts. */
export type TakeNode = (node: Hash) => void;

/**
 * A Merkle tree that is built leaf by leaf, keeping one hash a level: for ranges whose tree does not fit in memory.
 * What it hands out is enough to prove any leaf later.
 */
export class GrowingTree {
  private readonly world: World;
  private readonly sha256: Sha256;
  private readonly takeNode: TakeNode;
  /** By height: the root of a complete tree that waits for its right neighbour, or null. */
  private readonly waiting: (Hash | null)[] = [];

  constructor(world: World, sha256: Sha256, takeNode: TakeNode) {
    this.world = world;
    this.sha256 = sha256;
    this.takeNode = takeNode;
  }

  add(leaf: Hash): void {
    const { node } = treeRules[this.world];
    let current = leaf;
    let height = 0;
    for (let left = this.waiting[0]; left != null; left = this.waiting[++height]) {
      current = node(left, current, this.sha256);
      this.waiting[height] = null;
      this.takeNode(current);
    }
    this.waiting[height] = current;
  }

  /**
   * Closes the tree: what lacks leaves is filled up or moved up, as the world has it. Nothing may be added afterwards.
   * @throws InvariantBroken when there are no leaves
   */
  finish(): Hash {
    const { node, padLeaf } = treeRules[this.world];
    let pad = padLeaf;
    /** The node at this height that lacks leaves, or null when the level is full. */
    let partial: Hash | null = null;
    const top = this.waiting.length - 1;
    this.waiting.forEach((left, height) => {
      if (height === top && partial === null) return;
      if (partial !== null)
        partial = left === null ? this.alone(partial, pad) : node(left, partial, this.sha256);
      else if (left !== null) partial = this.alone(left, pad);
      if (partial !== null) this.takeNode(partial);
      if (pad !== null) pad = node(pad, pad, this.sha256);
    });
    const root = partial ?? this.waiting[top];
    if (root == null) throw new InvariantBroken('a tree needs a leaf');
    return root;
  }

  /** The node above one that has no right neighbour. */
  private alone(left: Hash, pad: Hash | null): Hash {
    return pad === null ? left : treeRules[this.world].node(left, pad, this.sha256);
  }
}
