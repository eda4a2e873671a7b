import { utf8Bytes } from '../bytes.ts';
import { portableSha256 } from '../sha256.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, World } from '../types.ts';

/**
 * How the tree of a world is built. Both pair nodes from the left, level by level; they differ in the bytes that a node
 * hashes and in what stands beside the last node of an odd level.
 */
export interface TreeRules {
  /** The hash of two nodes side by side. */
  readonly node: (left: Hash, right: Hash, sha256: Sha256) => Hash;
  /**
   * What the leaves are filled up with to a power of two, or null when the last node of an odd level moves up unchanged
   * instead.
   */
  readonly padLeaf: Hash | null;
}

/** Ves-format 7 and 8.2. */
export const treeRules: Readonly<Record<World, TreeRules>> = {
  ves: {
    node: nodeHash(utf8Bytes('VES_NODE_V1')),
    padLeaf: portableSha256(utf8Bytes('VES_PAD_LEAF_V1')),
  },
  legacy: { node: nodeHash(new Uint8Array(0)), padLeaf: null },
};

/** H(domain ‖ left ‖ right). */
function nodeHash(domain: Uint8Array): TreeRules['node'] {
  const preimage = new Uint8Array(domain.length + 64);
  preimage.set(domain);
  return (left, right, sha256) => {
    preimage.set(left, domain.length);
    preimage.set(right, domain.length + 32);
    return sha256(preimage);
  };
}
