import type { World } from '../../../domain/types.ts';
import { bundleFormat, bundleFormatVersion } from '../../../domain/verify/read-bundle.ts';
import { commitmentNames, pathLengthMax, verifyNames } from '../handlers/commitment-request.ts';
import { commitmentsLimitMax } from '../handlers/commitments.ts';
import { bundledAgentKey, bundledSequencer } from './describe-keys.ts';
import { legacyEnvelope } from './describe-events.ts';
import { receipt, vesEvent } from './describe-ves.ts';
import {
  optionalQuery,
  type ParameterDescription,
  pathParameter,
  queryParameter,
  type RouteDescription,
} from './description.ts';
import {
  count,
  generatedId,
  hash,
  limitQuery,
  sample,
  sequence,
  storeId,
  storeQuery,
  tenantId,
  time,
} from './samples.ts';
import {
  about,
  absent,
  answer,
  flag,
  hex,
  integer,
  list,
  nullYet,
  oneOf,
  optional,
  request,
  type Shape,
  u32,
  u64,
} from './shape.ts';

const zeroHash = hex(32, '0'.repeat(64));
const hashBytes = list(integer(0, { maximum: 255 }), { minItems: 32, maxItems: 32 });
const thirtyTwo: Shape = { ...hashBytes, example: Array.from({ length: 32 }, () => 0) };

const stream = { batch_id: generatedId, tenant_id: tenantId, store_id: storeId };
const range = { sequence_start: sequence, sequence_end: sequence, committed_at: time };
const signature = {
  sequencer_id: optional(generatedId),
  sequencer_key_version: optional(u32(1)),
  sequencer_signature: optional(hex(64, sample.hash + sample.hash)),
};
const anchor = {
  chain_id: nullYet(u32(84_532)),
  chain_tx_hash: nullYet(hash),
  chain_block_number: nullYet(u64(1)),
  anchored_at: nullYet(time),
  is_anchored: flag(false),
};
const isAnchored = { is_anchored: flag(false) };

const legacyMade = {
  ...stream,
  prev_state_root: zeroHash,
  new_state_root: hash,
  events_root: hash,
  event_count: count,
  ...range,
  ...signature,
};
const vesMade = {
  ...stream,
  ves_version: oneOf([1]),
  tree_depth: integer(0),
  leaf_count: count,
  padded_leaf_count: count,
  merkle_root: hash,
  prev_state_root: zeroHash,
  new_state_root: hash,
  ...range,
  ...signature,
};

/** What the worlds do not share. */
interface WorldWords {
  readonly ids: Readonly<Record<'create' | 'list' | 'read' | 'verify' | 'prove' | 'bundle', string>>;
  readonly ingest: string;
  readonly again: string;
  readonly made: Shape;
  readonly whole: Shape;
  readonly listed: Shape;
  readonly one: Shape;
  readonly rootName: 'events_root' | 'merkle_root';
  /** What a proof tells beside the path. */
  readonly beside: Readonly<Record<string, Shape>>;
  /** The root above two leaves, the first of which is the sample hash. */
  readonly rootOfTwo: string;
  readonly bundled: Readonly<Record<string, Shape>>;
  readonly verifyBody: (root: Shape) => Shape;
}

const secondLeaf = '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d';
const claim = {
  leaf_hash: hash,
  proof_path: list(hex(32, secondLeaf), { maxItems: pathLengthMax }),
  leaf_index: u64(0),
  leaf_count: optional(about('With it the answer is right for every leaf', u64(2))),
};

const worlds: Readonly<Record<World, WorldWords>> = {
  legacy: {
    ids: {
      create: 'commitLegacyRange',
      list: 'listLegacyCommitments',
      read: 'readLegacyCommitment',
      verify: 'verifyLegacyProof',
      prove: 'proveLegacyEvent',
      bundle: 'bundleLegacyProof',
    },
    ingest: 'ingestLegacyEvents',
    again: 'the same range once more is refused',
    made: answer(legacyMade),
    whole: answer({ ...legacyMade, ...anchor }),
    listed: answer({ ...stream, events_root: hash, event_count: count, ...range, ...isAnchored }),
    one: answer({
      ...stream,
      prev_state_root: thirtyTwo,
      new_state_root: thirtyTwo,
      events_root: thirtyTwo,
      event_count: count,
      sequence_range: { ...list(sequence, { minItems: 2, maxItems: 2 }), example: [1, 1] },
      committed_at: time,
      chain_tx_hash: nullYet(thirtyTwo),
      ...signature,
    }),
    rootName: 'events_root',
    beside: { true_directions: { ...list(flag(true)), example: [] }, leaf_count: count },
    rootOfTwo: 'e5a01fee14e0ed5c48714f22180f25ad8365b53f9779f79dc4a3d7e93963f94a',
    bundled: { event: answer({ envelope: legacyEnvelope, sequenced_at: time }) },
    verifyBody: (root) => request(verifyNames.legacy, { ...claim, events_root: root }),
  },
  ves: {
    ids: {
      create: 'commitSignedRange',
      list: 'listSignedCommitments',
      read: 'readSignedCommitment',
      verify: 'verifySignedProof',
      prove: 'proveSignedEvent',
      bundle: 'bundleSignedProof',
    },
    ingest: 'ingestSignedEvents',
    again: 'the same range once more gives the commitment that there is',
    made: answer(vesMade),
    whole: answer({ ...vesMade, ...anchor }),
    listed: answer({ ...vesMade, ...isAnchored }),
    one: answer({ ...vesMade, ...anchor }),
    rootName: 'merkle_root',
    beside: {},
    rootOfTwo: '6280d0b9014e58cbe8fef9e934d427a7a403f2368ebb1a0dc686a5bb1f711c94',
    bundled: { event: vesEvent, receipt, agent_key: absent(bundledAgentKey) },
    verifyBody: (root) => request(verifyNames.ves, { ...claim, merkle_root: root }),
  },
};

/** The routes of commitments and proofs, which are alike in both worlds. */
export function describeCommitments(world: World) {
  const { ids, ingest, again, made, whole, listed, one, rootName, beside, rootOfTwo, bundled, verifyBody } =
    worlds[world];
  const batchId = { operation: ids.create, pointer: '/batch_id' };
  const sequenceNumber = pathParameter('sequence_number', 'The sequence of the event', sequence);
  const commitment: ParameterDescription = pathParameter('batch_id', 'The commitment', generatedId, batchId);
  const whichCommitment = 'A commitment that the event is in';
  const proof = {
    sequence_number: sequence,
    batch_id: generatedId,
    [rootName]: hash,
    leaf_hash: hash,
    leaf_index: u64(0),
    proof_path: { ...list(hash), example: [] },
    directions: { ...list(flag(true)), example: [] },
    ...beside,
  };
  return {
    create: {
      id: ids.create,
      tag: 'commitments',
      summary: `Freezes a range of the ${world === 'ves' ? 'VES' : 'legacy'} stream under a Merkle root; ${again}`,
      who: 'write',
      body: request(commitmentNames, {
        tenant_id: tenantId,
        store_id: storeId,
        sequence_start: sequence,
        sequence_end: sequence,
      }),
      answer: { about: 'The commitment', shape: made },
      needs: [ingest],
    },
    list: {
      id: ids.list,
      tag: 'commitments',
      summary: 'Lists the commitments that are not anchored, or, with from, all from a sequence on',
      who: 'read',
      parameters: [
        ...storeQuery,
        optionalQuery('from', 'All that end at this sequence or later, anchored ones too', u64(1)),
        optionalQuery('after', 'The batch_id that the page before ended with', generatedId),
        limitQuery(commitmentsLimitMax, commitmentsLimitMax, 0),
      ],
      answer: {
        about: 'Oldest first; with from each with all that is known of it',
        shape: {
          schema: {
            anyOf: [listed, whole].map((entry) => answer({ commitments: list(entry), count }).schema),
          },
          example: { commitments: [listed.example], count: 1 },
        },
      },
      needs: [ids.create],
    },
    read: {
      id: ids.read,
      tag: 'commitments',
      summary: 'Reads a commitment',
      who: 'read',
      parameters: [commitment],
      answer: { about: 'The commitment', shape: one },
      refusals: { 404: unknownCommitment },
    },
    verify: {
      id: ids.verify,
      tag: 'commitments',
      summary: 'Checks a proof from its numbers alone',
      who: 'read or admin',
      body: verifyBody(hex(32, rootOfTwo)),
      answer: {
        about: 'Whether it holds; one that does not is no error',
        shape: answer({ valid: flag(true), leaf_hash: hash, [rootName]: hex(32, rootOfTwo) }),
      },
    },
    prove: {
      id: ids.prove,
      tag: 'commitments',
      summary: 'Proves that an event is under the root of a commitment',
      who: 'read',
      parameters: [
        sequenceNumber,
        ...storeQuery,
        queryParameter('batch_id', whichCommitment, generatedId, batchId),
      ],
      answer: { about: 'The path from the leaf to the root', shape: answer(proof) },
      refusals: { 404: unknownCommitment },
    },
    bundle: {
      id: ids.bundle,
      tag: 'commitments',
      summary: 'Hands out a proof with all that is needed to check it, as one file',
      who: 'read',
      parameters: [
        sequenceNumber,
        ...storeQuery,
        optionalQuery('batch_id', `${whichCommitment}; found when absent`, generatedId),
      ],
      answer: {
        about: 'What `sequencer verify` takes as it is',
        shape: answer({
          format: oneOf([bundleFormat]),
          format_version: oneOf([bundleFormatVersion]),
          world: oneOf([world]),
          ...bundled,
          commitment: whole,
          proof: answer({ ...proof, leaf_count: count }),
          sequencer: bundledSequencer,
        }),
      },
      refusals: { 404: 'The event is under no commitment, or there is no such commitment' },
      needs: [ids.create],
    },
  } as const satisfies Record<string, RouteDescription>;
}

const unknownCommitment = 'There is no such commitment in a store that the caller may see';
