import { toHex } from '../../domain/bytes.ts';
import { verifyByIndex, verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import type { Sequence } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import {
  appendVectors,
  type CommitmentNode,
  openCommitmentNode,
  vectorStream,
  wanted,
} from '../support/commitments.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { vectors } from '../vectors/ves-v1.ts';

describe.each(serverNames)('on %s Postgres', (server) => {
  let database: TestDatabase;
  let node: CommitmentNode;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    node = await openCommitmentNode(database.url);
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  test('the published VES stream gives the published roots, state roots and proofs', async () => {
    const stream = vectorStream('ves');
    for (const vector of vectors.ves_stream.commitments) {
      await appendVectors(node.log, stream, vector.sequence_end);
      const range = wanted(vector.sequence_start, vector.sequence_end);
      const made = await node.committer.commit(stream, range);
      expect({
        leaf_count: made.leafCount,
        merkle_root: toHex(made.root),
        prev_state_root: toHex(made.previousStateRoot),
        new_state_root: toHex(made.stateRoot),
      }).toEqual({
        leaf_count: vector.leaf_count,
        merkle_root: vector.merkle_root,
        prev_state_root: vector.prev_state_root,
        new_state_root: vector.new_state_root,
      });
      for (const expected of vector.proofs) {
        const proof = await node.reader.prove(made, expected.sequence_number as Sequence);
        expect(proof.leafIndex).toBe(expected.leaf_index);
        expect(toHex(proof.leafHash)).toBe(expected.leaf_hash);
        expect(proof.path.map(toHex)).toEqual(expected.proof_path);
        expect(proof.directions).toEqual(expected.directions);
        expect(verifyByIndex('ves', { ...proof, root: made.root }, nodeSha256)).toBe(true);
      }
    }
  });

  test('the published legacy stream gives the published roots, state roots and proofs', async () => {
    const stream = vectorStream('legacy');
    for (const vector of vectors.legacy_stream.commitments) {
      await appendVectors(node.log, stream, vector.sequence_end);
      const range = wanted(vector.sequence_start, vector.sequence_end);
      const made = await node.committer.commit(stream, range);
      expect({
        event_count: made.leafCount,
        events_root: toHex(made.root),
        prev_state_root: toHex(made.previousStateRoot),
        new_state_root: toHex(made.stateRoot),
      }).toEqual({
        event_count: vector.event_count,
        events_root: vector.events_root,
        prev_state_root: vector.prev_state_root,
        new_state_root: vector.new_state_root,
      });
      for (const expected of vector.proofs) {
        const proof = await node.reader.prove(made, expected.sequence_number as Sequence);
        expect(toHex(proof.leafHash)).toBe(expected.leaf_hash);
        expect(proof.path.map(toHex)).toEqual(expected.proof_path);
        expect(proof.directions).toEqual(expected.directions);
        expect(proof.trueDirections).toEqual(expected.true_directions);
        const claim = { ...proof, root: made.root };
        expect(verifyByIndex('legacy', claim, nodeSha256)).toBe(expected.verifies_by_index_rule);
        expect(verifyInclusion('legacy', claim, made.leafCount, nodeSha256)).toBe(true);
      }
    }
  });
});
