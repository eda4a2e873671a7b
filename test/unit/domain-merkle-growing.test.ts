import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import { GrowingTree } from '../../domain/merkle/growing-tree.ts';
import { groupLeafCount, groupPlaces, LeafGroup } from '../../domain/merkle/leaf-group.ts';
import { positionOf, siblingPlaces, storedNodeCount } from '../../domain/merkle/node-order.ts';
import { rootAbove } from '../../domain/merkle/root-above.ts';
import { proofFromNodes } from '../../domain/merkle/stored-proof.ts';
import { MerkleTree, treeDepth } from '../../domain/merkle/tree.ts';
import type { Hash, LeafIndex, World } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';

const worlds: readonly World[] = ['legacy', 'ves'];

function leavesOf(count: number): Hash[] {
  return Array.from({ length: count }, (_, index) => nodeSha256(utf8Bytes(`leaf ${index}`)));
}

function grow(world: World, leaves: readonly Hash[]): { root: Hash; nodes: Hash[] } {
  const nodes: Hash[] = [];
  const tree = new GrowingTree(world, nodeSha256, (node) => nodes.push(node));
  for (const leaf of leaves) tree.add(leaf);
  return { root: tree.finish(), nodes };
}

describe.each(worlds)('the %s tree', (world) => {
  test('has the same root, grown leaf by leaf or built level by level, for 1 to 300 leaves', () => {
    for (let count = 1; count <= 300; count++) {
      const leaves = leavesOf(count);
      const { root, nodes } = grow(world, leaves);
      const expected = toHex(new MerkleTree(world, leaves, nodeSha256).root);
      expect(toHex(root)).toBe(expected);
      expect(nodes).toHaveLength(storedNodeCount(count));
      expect(toHex(rootAbove(world, leaves, { height: 0, levels: treeDepth(count) }, nodeSha256))).toBe(
        expected,
      );
    }
  });

  test('proves every leaf of 1 to 40 from its stored nodes as from the whole tree', () => {
    for (let count = 1; count <= 40; count++) {
      const leaves = leavesOf(count);
      const { nodes } = grow(world, leaves);
      const whole = new MerkleTree(world, leaves, nodeSha256);
      leaves.forEach((leafHash, index) => {
        const leafIndex = index as LeafIndex;
        const proof = proofFromNodes(
          world,
          { leafHash, leafIndex, leafCount: count },
          (place) => (place.height === 0 ? leaves[place.index]! : nodes[positionOf(place, count)]!),
          nodeSha256,
        );
        expect(proof).toEqual(whole.prove(leafIndex));
      });
    }
  });

  test('proves every leaf of 1 to 100 from its neighbours and the nodes above them as from the whole tree', () => {
    for (let count = 1; count <= 100; count++) {
      const leaves = leavesOf(count);
      const { nodes } = grow(world, leaves);
      const whole = new MerkleTree(world, leaves, nodeSha256);
      for (let first = 0; first < count; first += groupLeafCount) {
        const last = Math.min(first + groupLeafCount, count) - 1;
        const places = groupPlaces(last as LeafIndex, count);
        const { firstLeaf, leafCount } = places;
        expect([firstLeaf, leafCount]).toEqual([first, last - first + 1]);
        const hashes = {
          leaves: leaves.slice(firstLeaf, firstLeaf + leafCount),
          above: places.above.map((place) => nodes[positionOf(place, count)]!),
        };
        const group = new LeafGroup(world, places, hashes, count, nodeSha256);
        for (let index = firstLeaf; index < firstLeaf + leafCount; index++)
          expect(group.prove(index)).toEqual(whole.prove(index));
      }
    }
  });

  test.each([1, 2, 7, 8, 9, 64, 100])(
    'has the same root when %i leaves are folded in pages of 8',
    (count) => {
      const leaves = leavesOf(count);
      const levels = Math.min(3, treeDepth(count));
      const pages = Array.from({ length: Math.ceil(count / 8) }, (_, page) =>
        rootAbove(world, leaves.slice(page * 8, page * 8 + 8), { height: 0, levels }, nodeSha256),
      );
      const root = rootAbove(world, pages, { height: levels, levels: treeDepth(count) - levels }, nodeSha256);
      expect(toHex(root)).toBe(toHex(grow(world, leaves).root));
    },
  );

  test('needs a leaf', () => {
    expect(() => grow(world, [])).toThrow('a tree needs a leaf');
    expect(() => rootAbove(world, [], { height: 0, levels: 0 }, nodeSha256)).toThrow('no common one');
    expect(() => rootAbove(world, leavesOf(3), { height: 0, levels: 1 }, nodeSha256)).toThrow(
      'no common one 1 levels above',
    );
  });
});

test('every stored node has a position of its own', () => {
  for (let count = 1; count <= 200; count++) {
    const positions = new Set<number>();
    for (let height = 1; height <= treeDepth(count); height++) {
      for (let index = 0; index * 2 ** height < count; index++)
        positions.add(positionOf({ height, index }, count));
    }
    expect([...positions].sort((a, b) => a - b)).toEqual(
      Array.from({ length: storedNodeCount(count) }, (_, position) => position),
    );
  }
});

test('a proof in a million leaves needs twenty stored hashes', () => {
  expect(siblingPlaces(123_456 as LeafIndex, 1_000_000)).toHaveLength(20);
  expect(storedNodeCount(1_000_000)).toBe(1_000_007);
});
