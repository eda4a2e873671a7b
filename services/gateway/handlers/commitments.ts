import { denialOf, nilUuid } from '../../../domain/access.ts';
import { InvariantBroken, Refused } from '../../../domain/errors.ts';
import { type Sequence, sequenceMax, type StoreKey, type Uuid, type World } from '../../../domain/types.ts';
import { parseUuid } from '../../../domain/uuid.ts';
import type { CommitmentPage } from '../../../storage/commitment-log.ts';
import type { CommitmentReader } from '../../commitment/commitment-reader.ts';
import type { CommitmentClient } from '../../commitment/commitment.service.ts';
import type { Query } from '../query.ts';
import { jsonReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest, RouteRequest } from '../route.ts';
import { commitmentBodies } from './commitment-body.ts';
import { readCommitmentRequest } from './commitment-request.ts';
import { permit, permittedStore } from './reading.ts';

export interface CommitmentHandlerDependencies {
  readonly committing: CommitmentClient;
  /** Reads in this process. */
  readonly commitments: Pick<
    CommitmentReader,
    | 'find'
    | 'findFrozen'
    | 'findCovering'
    | 'listFrom'
    | 'listUnanchored'
    | 'listPending'
    | 'recordAnchor'
    | 'prove'
  >;
}

type Handler = (request: ProtectedRequest) => Promise<Reply>;

export const commitmentsLimitMax = 1_000;

/** Freezes a range of a stream. A range that can't be frozen is 400 in both worlds, with the reason. */
export function createCommitment(world: World, deps: CommitmentHandlerDependencies): Handler {
  return async (request) => {
    const { tenantId, storeId, range } = readCommitmentRequest(await request.readBody());
    permit(request.principal, 'write', { tenantId, storeId });
    const { batchId } = await deps.committing.create(
      {
        tenantId,
        storeId,
        world,
        sequenceStart: range.start.toString(),
        sequenceEnd: range.end.toString(),
      },
      request.timeLeftMs(),
    );
    const commitment = await deps.commitments.find(world, batchId);
    if (commitment === null) throw new InvariantBroken(`the commitment ${batchId} was made and is not there`);
    return jsonReply(commitmentBodies[world].made(commitment));
  };
}

/**
 * The commitments of a stream that are not anchored, oldest first, up to `limit`, after the one that `after` names. With
 * `from`, those that end at that sequence or behind it instead, anchored ones too and with all that is known of each.
 */
export function listCommitments(
  world: World,
  { commitments }: Pick<CommitmentHandlerDependencies, 'commitments'>,
): Handler {
  return async (request) => {
    const query = request.query();
    const store = permittedStore(query, request.principal, 'read');
    const page = pageOf(query, commitmentsLimitMax);
    const from = query.u64('from', absent);
    if (from !== absent) {
      const whole = await commitments.listFrom({ ...store, world }, sequenceFrom(from), page.limit);
      return jsonReply({ commitments: whole.map(commitmentBodies[world].whole), count: whole.length });
    }
    if (page.after !== null) {
      const before = await commitments.findFrozen(world, page.after);
      if (before === null || !isOfStore(before, store)) throw unknownAfter(page.after);
    }
    const found = await commitments.listUnanchored({ ...store, world }, page);
    return jsonReply({ commitments: found.map(commitmentBodies[world].listed), count: found.length });
  };
}

/** One commitment by its id. One that the caller may not see is as unknown as one that does not exist. */
export function readCommitment(
  world: World,
  { commitments }: Pick<CommitmentHandlerDependencies, 'commitments'>,
): Handler {
  return async (request) => {
    const batchId = batchIdOf(request);
    const { principal } = request;
    permit(principal, 'read', { tenantId: principal.tenantId, storeId: nilUuid });
    const commitment = await commitments.find(world, batchId);
    if (commitment === null || denialOf(principal, 'read', commitment) !== null) {
      return unknownCommitment(batchId);
    }
    return jsonReply(commitmentBodies[world].one(commitment));
  };
}

/** What no query parameter can say. */
const absent = -1n;

/** Where a list begins; beyond the last sequence there is nothing, and nothing to round. */
function sequenceFrom(from: bigint): Sequence {
  return Number(from < BigInt(sequenceMax) ? from : BigInt(sequenceMax)) as Sequence;
}

/** @throws Refused when the path does not name a UUID */
export function batchIdOf(request: RouteRequest): Uuid {
  const text = request.pathParameter('batch_id');
  const batchId = parseUuid(text);
  if (batchId === null) {
    throw new Refused('INVALID_QUERY', 'the path parameter batch_id is no UUID');
  }
  return batchId;
}

/** Whoever may read one store learns nothing of the commitments of others. */
export function isOfStore(commitment: StoreKey, { tenantId, storeId }: StoreKey): boolean {
  return commitment.tenantId === tenantId && commitment.storeId === storeId;
}

export function unknownCommitment(batchId: Uuid): Reply {
  return textReply(404, `there is no commitment ${batchId}`);
}

/** @throws Refused */
export function pageOf(query: Query, limitMax: number): CommitmentPage {
  const limit = Math.min(query.u32('limit', commitmentsLimitMax), limitMax);
  return { after: query.optionalUuid('after'), limit };
}

export function unknownAfter(after: Uuid): Refused {
  return new Refused('INVALID_QUERY', `the query parameter after names no commitment of this list: ${after}`);
}
