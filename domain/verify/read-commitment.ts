import type { CommitmentSignature } from '../commitment-signature.ts';
import type { Commitment } from '../commitment.ts';
import { Refused } from '../errors.ts';
import type { FieldReader } from '../json/fields.ts';
import { paddedLeafCount, treeDepth } from '../merkle/tree.ts';
import type { Hash, Sequence, Uuid } from '../types.ts';
import { listOf, record, values } from './read-record.ts';

/** A commitment with the signature of the sequencer; null when nobody signed it. */
export interface SignedCommitment extends Commitment {
  readonly signature: CommitmentSignature | null;
}

/** A claim that an event is under the root of a commitment, as it came. */
export interface Proof {
  readonly sequence: Sequence;
  readonly batchId: Uuid;
  readonly root: Hash;
  readonly leafHash: Hash;
  readonly leafIndex: number;
  readonly path: readonly Hash[];
  /** As the wire has them, from the low bits of the index; null when left out. */
  readonly directions: readonly boolean[] | null;
  /** As they really are; only in legacy. */
  readonly trueDirections: readonly boolean[] | null;
  readonly leafCount: number | null;
}

/** A tree of 2^64 leaves is beyond any sequence. */
const pathLengthMax = 64;

const readCommitmentRecord = record(
  {
    batch_id: values.uuid,
    tenant_id: values.uuid,
    store_id: values.uuid,
    prev_state_root: values.hash,
    new_state_root: values.hash,
    sequence_start: values.sequence,
    sequence_end: values.sequence,
    committed_at: values.timestamp,
  },
  {
    merkle_root: values.hash,
    events_root: values.hash,
    leaf_count: values.u32,
    event_count: values.u32,
    ves_version: values.u32,
    tree_depth: values.count,
    padded_leaf_count: values.count,
    sequencer_id: values.uuid,
    sequencer_key_version: values.u32,
    sequencer_signature: values.signature,
  },
);

/**
 * Reads a commitment of either world as its creation answers it; which world follows from what its root is called.
 * @throws Refused
 */
export function readCommitment(fields: FieldReader): SignedCommitment {
  const found = readCommitmentRecord(fields);
  const world = found.merkle_root === undefined ? 'legacy' : 'ves';
  const [root, leafCount] =
    world === 'ves'
      ? [found.merkle_root, found.leaf_count]
      : [found.events_root, found.event_count ?? found.leaf_count];
  if (root === undefined) throw incomplete('neither merkle_root nor events_root');
  if (leafCount === undefined) throw incomplete(world === 'ves' ? 'no leaf_count' : 'no event_count');
  const { tree_depth: depth, padded_leaf_count: padded, ves_version: version } = found;
  if (version !== undefined && version !== 1) throw new Refused('WRONG_SHAPE', 'its ves_version must be 1');
  if (depth !== undefined && depth !== treeDepth(leafCount)) throw contradictory('tree_depth', leafCount);
  if (padded !== undefined && padded !== paddedLeafCount(leafCount)) {
    throw contradictory('padded_leaf_count', leafCount);
  }
  return {
    world,
    tenantId: found.tenant_id,
    storeId: found.store_id,
    batchId: found.batch_id,
    sequenceStart: found.sequence_start,
    sequenceEnd: found.sequence_end,
    leafCount,
    root,
    previousStateRoot: found.prev_state_root,
    stateRoot: found.new_state_root,
    committedAt: found.committed_at,
    signature: signatureOf(found),
  };
}

const readProofRecord = record(
  {
    sequence_number: values.sequence,
    batch_id: values.uuid,
    leaf_hash: values.hash,
    leaf_index: values.count,
    proof_path: listOf(values.hash),
  },
  {
    merkle_root: values.hash,
    events_root: values.hash,
    directions: listOf(values.boolean),
    true_directions: listOf(values.boolean),
    leaf_count: values.u32,
  },
);

/** @throws Refused */
export function readProof(fields: FieldReader): Proof {
  const found = readProofRecord(fields);
  const root = found.merkle_root ?? found.events_root;
  if (root === undefined) throw incomplete('neither merkle_root nor events_root');
  if (found.proof_path.length > pathLengthMax) {
    throw new Refused('WRONG_SHAPE', `proof_path has more than ${pathLengthMax} hashes`);
  }
  return {
    sequence: found.sequence_number,
    batchId: found.batch_id,
    root,
    leafHash: found.leaf_hash,
    leafIndex: found.leaf_index,
    path: found.proof_path,
    directions: found.directions ?? null,
    trueDirections: found.true_directions ?? null,
    leafCount: found.leaf_count ?? null,
  };
}

/** All parts of a signature, or none: half of one must not pass for an unsigned commitment. */
function signatureOf(found: ReturnType<typeof readCommitmentRecord>): CommitmentSignature | null {
  const {
    sequencer_id: sequencerId,
    sequencer_key_version: keyVersion,
    sequencer_signature: signature,
  } = found;
  if (sequencerId === undefined && keyVersion === undefined && signature === undefined) return null;
  if (sequencerId === undefined) throw incomplete('a signature without sequencer_id');
  if (keyVersion === undefined) throw incomplete('a signature without sequencer_key_version');
  if (signature === undefined) throw incomplete('no sequencer_signature beside its key');
  return { sequencerId, keyVersion, signature };
}

function incomplete(what: string): Refused {
  return new Refused('WRONG_SHAPE', `the commitment or its proof has ${what}`);
}

function contradictory(name: string, leafCount: number): Refused {
  return new Refused('WRONG_SHAPE', `its ${name} is not that of ${leafCount} leaves`);
}
