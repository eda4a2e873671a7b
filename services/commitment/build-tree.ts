import { GrowingTree } from '../../domain/merkle/growing-tree.ts';
import { storedNodeCount } from '../../domain/merkle/node-order.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { Hash, Uuid, World } from '../../domain/types.ts';
import {
  nodesPerChunk,
  type SequenceRange,
  type CommitmentTransaction,
} from '../../storage/commitment-log.ts';
import { leafPages } from './leaf-pages.ts';

/**
 * Builds the tree over a range and stores its nodes, in memory that does not grow with the range.
 * @returns the root
 * @throws EventsMissing
 */
export async function buildTree(
  world: World,
  range: SequenceRange,
  { transaction, batchId, sha256 }: { transaction: CommitmentTransaction; batchId: Uuid; sha256: Sha256 },
): Promise<Hash> {
  const chunks = new ChunkedNodes(storedNodeCount(range.end - range.start + 1));
  const tree = new GrowingTree(world, sha256, (node) => chunks.take(node));
  const store = async (): Promise<void> => {
    for (const { chunk, nodes } of chunks.drain()) await transaction.addNodes(batchId, chunk, nodes);
  };
  for await (const leaves of leafPages(range, (from, to) => transaction.readLeaves(from, to))) {
    for (const leaf of leaves) tree.add(leaf);
    await store();
  }
  const root = tree.finish();
  chunks.close();
  await store();
  return root;
}

/** Nodes in the order given, put together to the chunks in which they are stored. */
class ChunkedNodes {
  private readonly full: { chunk: number; nodes: Uint8Array }[] = [];
  private chunk = 0;
  private readonly open: Uint8Array;
  private length = 0;

  /** @param nodeCount of all chunks together */
  constructor(nodeCount: number) {
    this.open = new Uint8Array(Math.min(nodeCount, nodesPerChunk) * 32);
  }

  take(node: Hash): void {
    this.open.set(node, this.length);
    this.length += 32;
    if (this.length === this.open.length) this.close();
  }

  /** Ends the chunk that is open, unless it is empty. */
  close(): void {
    if (this.length === 0) return;
    this.full.push({ chunk: this.chunk, nodes: this.open.slice(0, this.length) });
    this.chunk++;
    this.length = 0;
  }

  /** The chunks that ended since the last call. */
  drain(): { chunk: number; nodes: Uint8Array }[] {
    return this.full.splice(0);
  }
}
