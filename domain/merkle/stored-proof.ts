import type { Sha256 } from '../sha256.ts';
import type { Hash, LeafIndex, World } from '../types.ts';
import { treeRules } from './node.ts';
import type { NodePlace } from './node-order.ts';
import { siblingPlaces } from './node-order.ts';
import { type InclusionProof, treeDepth } from './tree.ts';

/**
 * The proof of one leaf from nodes that were stored, as `MerkleTree.prove` gives it from the whole tree.
 * @param nodeAt the stored hash at a place that `siblingPlaces` names
 */
export function proofFromNodes(
  world: World,
  { leafHash, leafIndex, leafCount }: { leafHash: Hash; leafIndex: LeafIndex; leafCount: number },
  nodeAt: (place: NodePlace) => Hash,
  sha256: Sha256,
): InclusionProof {
  const { node, padLeaf } = treeRules[world];
  const stored = new Map(siblingPlaces(leafIndex, leafCount).map((place) => [place.height, place]));
  const path: Hash[] = [];
  const trueDirections: boolean[] = [];
  // Only a leaf at the right edge needs some.
  const pads: (Hash | null)[] = [padLeaf];
  const padAt = (height: number): Hash | null => {
    for (let pad = pads.at(-1)!; pad !== null && pads.length <= height;)
      pads.push((pad = node(pad, pad, sha256)));
    return pads[height] ?? null;
  };
  for (let height = 0; height < treeDepth(leafCount); height++) {
    const place = stored.get(height);
    const sibling = place === undefined ? padAt(height) : nodeAt(place);
    if (sibling === null) continue;
    path.push(sibling);
    trueDirections.push(Math.floor(leafIndex / 2 ** height) % 2 === 0);
  }
  const directions = path.map((_, depth) => Math.floor(leafIndex / 2 ** depth) % 2 === 0);
  return { leafHash, leafIndex, path, directions, trueDirections };
}
