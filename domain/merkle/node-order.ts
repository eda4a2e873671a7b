import type { LeafIndex } from '../types.ts';
import { treeDepth } from './tree.ts';

/** A node above the leaves: `height` 1 is right above them. */
export interface NodePlace {
  readonly height: number;
  /** 0-based, from the left. */
  readonly index: number;
}

/**
 * Where a node lies in the order in which a growing tree completes them (`GrowingTree`): each leaf completes those nodes
 * whose last leaf it is, from the lowest up; last come the nodes that lack leaves, again from the lowest up. Nodes that
 * are close in the tree are close in this order, and it needs no knowledge of the final size while the tree grows.
 * @param place must exist: its first leaf is one of the `leafCount`
 */
export function positionOf({ height, index }: NodePlace, leafCount: number): number {
  const end = (index + 1) * 2 ** height;
  if (end <= leafCount) return nodesCompletedBy(end - 1) + height - 1;
  return nodesCompletedBy(leafCount) + height - 1 - fullLevels(leafCount);
}

/** How many nodes above the leaves a tree stores. */
export function storedNodeCount(leafCount: number): number {
  return nodesCompletedBy(leafCount) + treeDepth(leafCount) - fullLevels(leafCount);
}

/** The siblings on the way from a leaf to the root: that of the leaf has height 0. Those without any leaf are left out. */
export function siblingPlaces(leafIndex: LeafIndex, leafCount: number): NodePlace[] {
  return Array.from({ length: treeDepth(leafCount) }, (_, height) => {
    const index = Math.floor(leafIndex / 2 ** height);
    return { height, index: index % 2 === 0 ? index + 1 : index - 1 };
  }).filter(({ height, index }) => index * 2 ** height < leafCount);
}

/** Every leaf after the first joins two trees into one, until there are as many trees as its number has bits. */
function nodesCompletedBy(leafCount: number): number {
  let bits = 0;
  for (let rest = leafCount; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return leafCount - bits;
}

/** How many levels above the leaves have no node that lacks leaves. */
function fullLevels(leafCount: number): number {
  let levels = 0;
  for (let rest = leafCount; rest > 1 && rest % 2 === 0; rest /= 2) levels++;
  return levels;
}
