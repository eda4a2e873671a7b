import fc from 'fast-check';
import { parseHex, toHex } from '../../domain/bytes.ts';
import { InvariantBroken } from '../../domain/errors.ts';
import { verifyByIndex, verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import { treeRules } from '../../domain/merkle/node.ts';
import { MerkleTree, paddedLeafCount, treeDepth } from '../../domain/merkle/tree.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { leafIndexOf } from '../../domain/types.ts';
import type { Hash, LeafIndex, Sequence, World } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { vectors } from '../vectors/ves-v1.ts';

const worlds: readonly World[] = ['ves', 'legacy'];

function hash(hex: string): Hash {
  return parseHex(hex, 32) as Hash;
}

/** 32 × 01, 32 × 02 and so on. */
function plainLeaves(count: number): Hash[] {
  return Array.from(
    { length: count },
    (_, index) => new Uint8Array(32).fill(index + 1) as Uint8Array as Hash,
  );
}

function distinctLeaves(count: number): Hash[] {
  return Array.from({ length: count }, (_, index) => nodeSha256(Uint8Array.of(index, index >> 8)));
}

describe('the published examples', () => {
  test.each(vectors.primitives.node_pairs)('nodes over $left', ({ left, right, ves_node, legacy_node }) => {
    expect(toHex(treeRules.ves.node(hash(left), hash(right), portableSha256))).toBe(ves_node);
    expect(toHex(treeRules.legacy.node(hash(left), hash(right), portableSha256))).toBe(legacy_node);
  });

  test('the padding leaf', () => {
    expect(toHex(treeRules.ves.padLeaf!)).toBe(vectors.primitives.pad_leaf);
  });

  test.each([
    ['ves', 1, '0101010101010101010101010101010101010101010101010101010101010101'],
    ['ves', 2, '5186fbc7094f70b9fc71bcf269fda0530c1c2bd675de918ef39562a6f18752fd'],
    ['ves', 3, 'b273075c5260995967a3e717440e9e12c103e1e500da892e0e100c629314bcbe'],
    ['ves', 5, '16ffa07750ff1edd7f23eae647b13057f0b7c6e13f1c8b99798c60bc869090e4'],
    ['legacy', 2, 'f818afd37a6dc3bc92fb44731011277006db4efa6e9023cd7468c02335d22a4d'],
    ['legacy', 3, '0479d06fbc8bd667d6c53e3ec229858fc27bb8d883015478a292757338576797'],
    ['legacy', 5, '0a99d4a8549c3dd2915d3f9d274fdb76b026a4129cd4bbcb1169c8a1285f8d34'],
  ] as const)('the %s root of %d leaves', (world, count, root) => {
    expect(toHex(new MerkleTree(world, plainLeaves(count), portableSha256).root)).toBe(root);
  });

  test('the proof of the last of three leaves', () => {
    const [one, two, three] = plainLeaves(3) as [Hash, Hash, Hash];
    const ves = new MerkleTree('ves', [one, two, three], portableSha256).prove(2 as LeafIndex);
    expect(ves.path).toEqual([treeRules.ves.padLeaf, treeRules.ves.node(one, two, portableSha256)]);
    expect(ves.directions).toEqual([true, false]);
    const legacy = new MerkleTree('legacy', [one, two, three], portableSha256).prove(2 as LeafIndex);
    expect(legacy.path).toEqual([treeRules.legacy.node(one, two, portableSha256)]);
    expect(legacy.directions).toEqual([true]);
    expect(legacy.trueDirections).toEqual([false]);
  });

  test('the legacy leaves whose emitted directions are wrong', () => {
    const affected = (count: number): number[] => {
      const tree = new MerkleTree('legacy', distinctLeaves(count), nodeSha256);
      const indexes = Array.from({ length: count }, (_, index) => index);
      return indexes.filter((index) => {
        const { directions, trueDirections } = tree.prove(index as LeafIndex);
        return directions.some((isLeft, depth) => isLeft !== trueDirections[depth]);
      });
    };
    expect(Object.fromEntries([3, 5, 6, 7, 10, 100].map((count) => [count, affected(count)]))).toEqual({
      3: [2],
      5: [4],
      6: [4, 5],
      7: [6],
      10: [8, 9],
      100: [96, 97, 98, 99],
    });
    for (const count of [1, 2, 4, 8, 64, 512]) expect(affected(count)).toEqual([]);
  });

  test.each(vectors.ves_proof_negative)('the verdict on $name', (vector) => {
    const claim = {
      leafHash: hash(vector.leaf_hash),
      leafIndex: vector.leaf_index,
      path: vector.proof_path.map(hash),
      root: hash(vector.merkle_root),
    };
    expect(verifyByIndex('ves', claim, portableSha256)).toBe(vector.valid);
    // The bits of the index beyond the path count when the number of leaves is known.
    expect(verifyInclusion('ves', claim, 8, portableSha256)).toBe(vector.valid && vector.leaf_index < 8);
  });
});

describe.each(['ves', 'legacy'] as const)('the published %s stream', (world) => {
  const { events, commitments } = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;

  test.each<(typeof commitments)[number]>(commitments)(
    'the root and the proofs of $sequence_start..$sequence_end',
    (commitment) => {
      const leaves = events
        .slice(commitment.sequence_start - 1, commitment.sequence_end)
        .map(({ leaf_hash }) => hash(leaf_hash));
      const tree = new MerkleTree(world, leaves, portableSha256);
      expect(toHex(tree.root)).toBe(
        'merkle_root' in commitment ? commitment.merkle_root : commitment.events_root,
      );

      expect(commitment.proofs.length).toBeGreaterThan(0);
      for (const vector of commitment.proofs) {
        const proof = tree.prove(
          leafIndexOf(vector.sequence_number as Sequence, commitment.sequence_start as Sequence),
        );
        expect(proof.leafIndex).toBe(vector.leaf_index);
        expect(toHex(proof.leafHash)).toBe(vector.leaf_hash);
        expect(proof.path.map(toHex)).toEqual(vector.proof_path);
        expect(proof.directions).toEqual(vector.directions);
        const claim = { ...proof, root: tree.root };
        const legacy = 'true_directions' in vector ? vector : null;
        expect(proof.trueDirections).toEqual(legacy?.true_directions ?? vector.directions);
        expect(verifyByIndex(world, claim, portableSha256)).toBe(legacy?.verifies_by_index_rule ?? true);
        expect(verifyInclusion(world, claim, tree.leafCount, portableSha256)).toBe(
          legacy?.verifies_with_leaf_count ?? true,
        );
      }
    },
  );
});

test.each(vectors.ves_stream.commitments)(
  'a tree of $leaf_count leaves has depth $tree_depth and $padded_leaf_count leaves with padding',
  ({ leaf_count, tree_depth, padded_leaf_count }) => {
    expect(treeDepth(leaf_count)).toBe(tree_depth);
    expect(paddedLeafCount(leaf_count)).toBe(padded_leaf_count);
  },
);

test('a range without leaves has a root of zeros and no proofs', () => {
  for (const world of worlds) {
    const tree = new MerkleTree(world, [], portableSha256);
    expect(tree.root).toEqual(new Uint8Array(32));
    expect(() => tree.prove(0 as LeafIndex)).toThrow(InvariantBroken);
  }
  expect(paddedLeafCount(0)).toBe(0);
});

test.each(worlds)('in a %s tree of any size each leaf proves itself and no other', (world) => {
  const leaves = distinctLeaves(600);
  const wrong: string[] = [];
  for (let leafCount = 1; leafCount <= leaves.length; leafCount++) {
    const tree = new MerkleTree(world, leaves.slice(0, leafCount), nodeSha256);
    const { root } = tree;
    for (let index = 0; index < leafCount; index++) {
      const claim = { ...tree.prove(index as LeafIndex), root };
      if (!verifyInclusion(world, claim, leafCount, nodeSha256)) wrong.push(`${index} of ${leafCount}`);
      // For some leaves of each size, and all of them in one size or another: another leaf, and another place.
      if ((index + leafCount) % 16 !== 0) continue;
      const other = (index * 7 + 1) % leafCount;
      if (other === index) continue;
      const claims = { leaf: { ...claim, leafHash: leaves[other]! }, place: { ...claim, leafIndex: other } };
      for (const [what, stolen] of Object.entries(claims)) {
        if (verifyInclusion(world, stolen, leafCount, nodeSha256)) {
          wrong.push(`${index} of ${leafCount} with the ${what} of ${other}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test.each(worlds)('in a small %s tree no leaf proves itself at the place of any other', (world) => {
  for (let leafCount = 1; leafCount <= 40; leafCount++) {
    const tree = new MerkleTree(world, distinctLeaves(leafCount), nodeSha256);
    for (let index = 0; index < leafCount; index++) {
      const claim = { ...tree.prove(index as LeafIndex), root: tree.root };
      const accepted = Array.from({ length: 2 * leafCount }, (_, leafIndex) => leafIndex).filter(
        (leafIndex) => verifyInclusion(world, { ...claim, leafIndex }, leafCount, nodeSha256),
      );
      expect(accepted).toEqual([index]);
    }
  }
});

test.each(worlds)('a %s proof with any one bit flipped, cut or made longer proves nothing', (world) => {
  const bits = fc.record({
    leafCount: fc.integer({ min: 1, max: 300 }),
    leaf: fc.nat(),
    hash: fc.nat(),
    bit: fc.nat(255),
  });
  fc.assert(
    fc.property(bits, ({ leafCount, leaf, hash: which, bit }) => {
      const tree = new MerkleTree(world, distinctLeaves(leafCount), nodeSha256);
      const proof = tree.prove((leaf % leafCount) as LeafIndex);
      const hashes = [proof.leafHash, tree.root, ...proof.path].map(
        (bytes) => Uint8Array.from(bytes) as Uint8Array as Hash,
      );
      const claimOf = ([leafHash, root, ...path]: Hash[]): Parameters<typeof verifyInclusion>[1] => ({
        ...proof,
        leafHash: leafHash!,
        root: root!,
        path,
      });
      expect(verifyInclusion(world, claimOf(hashes), leafCount, nodeSha256)).toBe(true);
      hashes[which % hashes.length]![bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyInclusion(world, claimOf(hashes), leafCount, nodeSha256)).toBe(false);
      expect(verifyByIndex(world, claimOf(hashes), nodeSha256)).toBe(false);
      hashes[which % hashes.length]![bit >> 3]! ^= 1 << (bit & 7);
      const longer = [...hashes, hashes.at(-1)!];
      expect(verifyInclusion(world, claimOf(longer), leafCount, nodeSha256)).toBe(false);
      if (hashes.length > 2)
        expect(verifyInclusion(world, claimOf(hashes.slice(0, -1)), leafCount, nodeSha256)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('an index as large as the wire allows is taken exactly', () => {
  const tree = new MerkleTree('ves', distinctLeaves(8), portableSha256);
  const claim = { ...tree.prove(3 as LeafIndex), root: tree.root };
  const alias = 2n ** 63n + 3n;
  expect(verifyByIndex('ves', { ...claim, leafIndex: alias }, portableSha256)).toBe(true);
  expect(verifyByIndex('ves', { ...claim, leafIndex: alias + 1n }, portableSha256)).toBe(false);
  expect(verifyInclusion('ves', { ...claim, leafIndex: alias }, 8, portableSha256)).toBe(false);
});
