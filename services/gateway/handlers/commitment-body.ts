import { toHex } from '../../../domain/bytes.ts';
import { paddedLeafCount, treeDepth, type InclusionProof } from '../../../domain/merkle/tree.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { Sequence, World } from '../../../domain/types.ts';
import type { StoredCommitment } from '../../../storage/commitment-log.ts';
import { rootNames } from './commitment-request.ts';

/** How a world writes its commitments (http-api 7.6 and 8.2): as made, in a list, read by id, and with all there is. */
interface CommitmentBodies {
  readonly made: (commitment: StoredCommitment) => object;
  readonly listed: (commitment: StoredCommitment) => object;
  readonly one: (commitment: StoredCommitment) => object;
  readonly whole: (commitment: StoredCommitment) => object;
}

export const commitmentBodies: Readonly<Record<World, CommitmentBodies>> = {
  legacy: {
    made: legacyCommitment,
    whole: (commitment) => ({ ...legacyCommitment(commitment), ...anchorOf(commitment) }),
    listed: (commitment) => ({
      ...stream(commitment),
      events_root: toHex(commitment.root),
      event_count: commitment.leafCount,
      ...range(commitment),
      is_anchored: commitment.anchor !== null,
    }),
    // The one place where hashes are arrays of numbers, as the clients of this route expect.
    one: (commitment) => ({
      ...stream(commitment),
      prev_state_root: [...commitment.previousStateRoot],
      new_state_root: [...commitment.stateRoot],
      events_root: [...commitment.root],
      event_count: commitment.leafCount,
      sequence_range: [commitment.sequenceStart, commitment.sequenceEnd],
      committed_at: formatTimestamp(commitment.committedAt, 'Z'),
      chain_tx_hash: commitment.anchor === null ? null : [...commitment.anchor.txHash],
      ...signature(commitment),
    }),
  },
  ves: {
    made: vesCommitment,
    listed: (commitment) => ({ ...vesCommitment(commitment), is_anchored: commitment.anchor !== null }),
    one: (commitment) => ({ ...vesCommitment(commitment), ...anchorOf(commitment) }),
    whole: (commitment) => ({ ...vesCommitment(commitment), ...anchorOf(commitment) }),
  },
};

/** A VES commitment as who anchors it reads it (http-api 8.4): the one form with `0x`. */
export function pendingBody(commitment: StoredCommitment): object {
  return {
    ...stream(commitment),
    prev_state_root: `0x${toHex(commitment.previousStateRoot)}`,
    new_state_root: `0x${toHex(commitment.stateRoot)}`,
    events_root: `0x${toHex(commitment.root)}`,
    ...range(commitment),
    event_count: commitment.leafCount,
    chain_tx_hash: null,
  };
}

/** A proof (http-api 7.7 and 8.3). */
export function proofBody(
  { world, batchId, root, leafCount }: Omit<StoredCommitment, 'anchor'>,
  sequence: Sequence,
  proof: InclusionProof,
): object {
  return {
    sequence_number: sequence,
    batch_id: batchId,
    [rootNames[world]]: toHex(root),
    leaf_hash: toHex(proof.leafHash),
    leaf_index: proof.leafIndex,
    proof_path: proof.path.map(toHex),
    directions: proof.directions,
    ...(world === 'legacy' && { true_directions: proof.trueDirections, leaf_count: leafCount }),
  };
}

function legacyCommitment(commitment: StoredCommitment): object {
  return {
    ...stream(commitment),
    ...stateRoots(commitment),
    events_root: toHex(commitment.root),
    event_count: commitment.leafCount,
    ...range(commitment),
    ...signature(commitment),
  };
}

function vesCommitment(commitment: StoredCommitment): object {
  const { leafCount } = commitment;
  return {
    ...stream(commitment),
    ves_version: 1,
    tree_depth: treeDepth(leafCount),
    leaf_count: leafCount,
    padded_leaf_count: paddedLeafCount(leafCount),
    merkle_root: toHex(commitment.root),
    ...stateRoots(commitment),
    ...range(commitment),
    ...signature(commitment),
  };
}

function stream({ batchId, tenantId, storeId }: StoredCommitment): object {
  return { batch_id: batchId, tenant_id: tenantId, store_id: storeId };
}

function stateRoots({ previousStateRoot, stateRoot }: StoredCommitment): object {
  return { prev_state_root: toHex(previousStateRoot), new_state_root: toHex(stateRoot) };
}

function range({ sequenceStart, sequenceEnd, committedAt }: StoredCommitment): object {
  return {
    sequence_start: sequenceStart,
    sequence_end: sequenceEnd,
    committed_at: formatTimestamp(committedAt, 'Z'),
  };
}

/** Where it is recorded on a chain; nulls while it is not. */
function anchorOf({ anchor }: StoredCommitment): object {
  return {
    chain_id: anchor?.chainId ?? null,
    chain_tx_hash: anchor === null ? null : toHex(anchor.txHash),
    chain_block_number: anchor?.blockNumber ?? null,
    anchored_at: anchor === null ? null : formatTimestamp(anchor.anchoredAt, 'Z'),
    is_anchored: anchor !== null,
  };
}

/** Absent from a commitment that nobody signed. */
function signature({ signature: signed }: StoredCommitment): object {
  return signed === null
    ? {}
    : {
        sequencer_id: signed.sequencerId,
        sequencer_key_version: signed.keyVersion,
        sequencer_signature: toHex(signed.signature),
      };
}
