import { randomUUID } from 'node:crypto';
import { denialOf } from '../../../domain/access.ts';
import type { Strictness } from '../../../domain/base64url.ts';
import { InvariantBroken } from '../../../domain/errors.ts';
import { findStoreKey } from '../../../domain/find-store-key.ts';
import type { Sha256 } from '../../../domain/sha256.ts';
import type { RequestId, StoreKey } from '../../../domain/types.ts';
import { firstEventOf } from '../../../domain/ves/check-request.ts';
import { readVesRequest } from '../../../domain/ves/read-request.ts';
import { wireReceipt } from '../../../domain/ves/response.ts';
import { callMeta } from '../call-meta.ts';
import type { AppendParams, AppendReply, CallMeta, Rejection, RejectionReason } from '../../contracts.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

export interface VesIngestDependencies {
  /** Has the events sequenced by the owner of their store; rejects with what `readError` understands. */
  readonly sequencer: { append(params: AppendParams, meta: CallMeta): Promise<AppendReply> };
  readonly sha256: Sha256;
  /** As the owner has it, so that a request that can't be read is refused alike in both places. */
  readonly strictness: Strictness;
}

/** The signed counterpart of `ingestLegacyEvents`: the body goes on as it came, and the owner reads and checks it. */
export function ingestVesEvents({
  sequencer,
  sha256,
  strictness,
}: VesIngestDependencies): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const body = await request.readBody();
    const { tenantId, storeId } = storeOf(body, strictness, sha256);
    const reply = await sequencer.append(
      {
        tenantId,
        storeId,
        world: 'ves',
        requestId: randomUUID() as string as RequestId,
        body,
        principal: {
          agentId: request.principal.agentId,
          mayWrite: denialOf(request.principal, 'write', { tenantId, storeId }) === null,
        },
        timeLeftMs: request.timeLeftMs(),
      },
      callMeta(request),
    );
    return jsonReply(ingestBody(reply));
  };
}

/** Only a request of which no store can be found is read as a whole, to say what is wrong with it. */
function storeOf(body: Uint8Array, strictness: Strictness, sha256: Sha256): StoreKey {
  const found = findStoreKey(body);
  if (found !== null && found !== 'no events') return found;
  return firstEventOf(readVesRequest(body, strictness, sha256));
}

const wireReasons: Readonly<Record<RejectionReason, string>> = {
  'duplicate-event-id': 'duplicate_event_id',
  'duplicate-command-id': 'duplicate_command_id',
  'payload-hash-differs': 'invalid_payload_hash',
  'cipher-hash-differs': 'invalid_cipher_hash',
  'signature-differs': 'invalid_signature',
  'agent-key-invalid': 'agent_key_invalid',
  'unsupported-version': 'unsupported_version',
  'wrong-field': 'schema_validation',
  'schema-validation': 'schema_validation',
  'version-conflict': 'version_conflict',
};

function ingestBody({ signed, ...reply }: AppendReply): object {
  if (signed === undefined) {
    throw new InvariantBroken('the owner answered signed events without receipts', { head: reply.head });
  }
  return {
    batchId: randomUUID(),
    eventsAccepted: reply.accepted,
    eventsRejected: reply.rejected,
    sequenceStart: reply.sequenceStart,
    sequenceEnd: reply.sequenceEnd,
    headSequence: reply.head,
    ...(reply.rejections.length > 0 && { rejections: reply.rejections.map(wireRejection) }),
    ...(signed.receipts.length > 0 && {
      receipts: signed.receipts.map((receipt) => wireReceipt(receipt, signed.sequencerId)),
    }),
  };
}

/** Unlike all around them, rejections have names with underscores. */
function wireRejection({ eventId, reason, message, detail }: Rejection): object {
  const tail = detail === undefined ? '' : `: ${detail}`;
  return { event_id: eventId, reason: wireReasons[reason] + tail, message };
}
