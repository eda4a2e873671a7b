import { randomUUID } from 'node:crypto';
import { denialOf } from '../../../domain/access.ts';
import { findStoreKey } from '../../../domain/find-store-key.ts';
import { readLegacyRequest } from '../../../domain/legacy/request.ts';
import type { Sha256 } from '../../../domain/sha256.ts';
import type { RequestId, StoreKey } from '../../../domain/types.ts';
import { callMeta } from '../call-meta.ts';
import type { AppendParams, AppendReply, CallMeta, Rejection, RejectionReason } from '../../contracts.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

export interface LegacyIngestDependencies {
  /** Has the events sequenced by the owner of their store; rejects with what `readError` understands. */
  readonly sequencer: { append(params: AppendParams, meta: CallMeta): Promise<AppendReply> };
  readonly sha256: Sha256;
}

/**
 * Passes the body on as it came: the owner reads it and runs the checks of the request. The only thing taken from the
 * bytes here is the store, and only a request of which none can be found is read as a whole, to say what is wrong.
 */
export function ingestLegacyEvents({
  sequencer,
  sha256,
}: LegacyIngestDependencies): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const body = await request.readBody();
    const store = storeOf(body, sha256);
    if (store === null) return jsonReply(ingestBody(nothing));
    const { tenantId, storeId } = store;
    const reply = await sequencer.append(
      {
        tenantId,
        storeId,
        world: 'legacy',
        // Not the x-request-id: callers may repeat that, and this one tells a retry of ours from a duplicate of theirs.
        requestId: randomUUID() as string as RequestId,
        body,
        principal: {
          agentId: request.principal.agentId,
          mayWrite: denialOf(request.principal, 'write', store) === null,
        },
        timeLeftMs: request.timeLeftMs(),
      },
      callMeta(request),
    );
    return jsonReply(ingestBody(reply));
  };
}

/** What an empty list of events is answered with, whoever sends it. */
const nothing: AppendReply = {
  accepted: 0,
  rejected: 0,
  sequenceStart: null,
  sequenceEnd: null,
  head: 0 as AppendReply['head'],
  rejections: [],
  receipts: [],
};

function storeOf(body: Uint8Array, sha256: Sha256): StoreKey | null {
  const found = findStoreKey(body);
  if (found !== null && found !== 'no events') return found;
  return readLegacyRequest(body, sha256).events[0] ?? null;
}

/** Signed events have reasons besides, which an unsigned one is never given. */
const wireReasons: Readonly<Partial<Record<RejectionReason, string>>> = {
  'duplicate-event-id': 'DuplicateEventId',
  'duplicate-command-id': 'DuplicateCommandId',
  'payload-hash-differs': 'InvalidPayloadHash',
  'version-conflict': 'VersionConflict',
  'wrong-field': 'SchemaValidation',
  'schema-validation': 'SchemaValidation',
};

function ingestBody(reply: AppendReply): object {
  return {
    batch_id: randomUUID(),
    events_accepted: reply.accepted,
    events_rejected: reply.rejected,
    assigned_sequence_start: reply.sequenceStart,
    assigned_sequence_end: reply.sequenceEnd,
    head_sequence: reply.head,
    ...(reply.rejections.length > 0 && { rejections: reply.rejections.map(wireRejection) }),
    receipts: reply.receipts.map(({ eventId, sequence }) => ({
      event_id: eventId,
      sequence_number: sequence,
    })),
  };
}

function wireRejection({ eventId, reason, message, sequence }: Rejection): object {
  return {
    event_id: eventId,
    reason: wireReasons[reason] ?? 'Other',
    message,
    ...(sequence !== undefined && { sequence_number: sequence }),
  };
}
