import { Refused } from '../../../domain/errors.ts';
import { verifyByIndex, verifyInclusion } from '../../../domain/merkle/inclusion-proof.ts';
import type { Sha256 } from '../../../domain/sha256.ts';
import { type Sequence, sequenceMax, type World } from '../../../domain/types.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { proofBody } from './commitment-body.ts';
import { readVerifyRequest, rootNames } from './commitment-request.ts';
import { type CommitmentHandlerDependencies, isOfStore, unknownCommitment } from './commitments.ts';
import { permitReadOrAdmin, permittedStore } from './reading.ts';

type Handler = (request: ProtectedRequest) => Promise<Reply>;

/** The proof that an event is under the root of a commitment. */
export function proveEvent(
  world: World,
  { commitments }: Pick<CommitmentHandlerDependencies, 'commitments'>,
): Handler {
  return async (request) => {
    const wanted = sequenceNumberOf(request);
    const query = request.query();
    const batchId = query.uuid('batch_id');
    const store = permittedStore(query, request.principal, 'read');
    const commitment = await commitments.findFrozen(world, batchId);
    if (commitment === null || !isOfStore(commitment, store)) return unknownCommitment(batchId);
    const { sequenceStart: start, sequenceEnd: end } = commitment;
    if (wanted < BigInt(start) || wanted > BigInt(end)) {
      throw new Refused(
        'INVALID_QUERY',
        `event ${wanted} is not in ${start}..${end}, which is what ${batchId} commits`,
      );
    }
    const sequence = Number(wanted) as Sequence;
    return jsonReply(proofBody(commitment, sequence, await commitments.prove(commitment, sequence)));
  };
}

/** Checks a proof as anyone could; with `leaf_count` it is right for every leaf, without it for those the index rule fits. */
export function verifyProof(world: World, sha256: Sha256): Handler {
  return async (request) => {
    permitReadOrAdmin(request.principal);
    const { claim, leafCount, leafHashText, rootText } = readVerifyRequest(world, await request.readBody());
    const valid =
      leafCount === null
        ? verifyByIndex(world, claim, sha256)
        : leafCount <= BigInt(sequenceMax) && verifyInclusion(world, claim, Number(leafCount), sha256);
    return jsonReply({ valid, leaf_hash: leafHashText, [rootNames[world]]: rootText });
  };
}

/** @throws Refused when the path names no u64 */
export function sequenceNumberOf(request: ProtectedRequest): bigint {
  const text = request.pathParameter('sequence_number');
  if (!/^\d{1,20}$/.test(text)) {
    throw new Refused('INVALID_QUERY', 'the path parameter sequence_number is no integer from 0 to 2^64 - 1');
  }
  return BigInt(text);
}
