import { InvariantBroken } from '../errors.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, World } from '../types.ts';
import { treeRules } from './node.ts';

/**
 * The node `levels` above the first of some nodes, worked out level by level; with all nodes of a height and enough levels
 * it is the root. What stands to the right of the last node has no leaves.
 * @param height of the given nodes: 0 when they are leaves
 */
export function rootAbove(
  world: World,
  nodes: readonly Hash[],
  { height, levels }: { readonly height: number; readonly levels: number },
  sha256: Sha256,
): Hash {
  const { node, padLeaf } = treeRules[world];
  let pad = padLeaf;
  const raisePad = (): void => {
    if (pad !== null) pad = node(pad, pad, sha256);
  };
  for (let below = 0; below < height; below++) raisePad();
  let level = nodes;
  for (let climbed = 0; climbed < levels; climbed++) {
    const above: Hash[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index]!;
      const right = level[index + 1] ?? pad;
      above.push(right === null ? left : node(left, right, sha256));
    }
    raisePad();
    level = above;
  }
  const [root] = level;
  if (root === undefined || level.length > 1) {
    throw new InvariantBroken(`${nodes.length} nodes have no common one ${levels} levels above`);
  }
  return root;
}
