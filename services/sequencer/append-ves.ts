import type { AppendAnswer } from '../../actors/sequencer.actor.ts';
import type { Acceptance } from '../../domain/sequencing/decision.ts';
import { InvariantBroken } from '../../domain/errors.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { StoreKey } from '../../domain/types.ts';
import { checkVesEvent } from '../../domain/ves/check-event.ts';
import { checkVesRequest } from '../../domain/ves/check-request.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import { receiptOf, type VesReceipt } from '../../domain/ves/receipt.ts';
import type { AppendParams, AppendReply } from '../contracts.ts';
import type { AppendDependencies } from './append.ts';
import { checkStore } from './check-store.ts';

/**
 * Reads a request of signed events, checks it as a whole and each event by itself, and has the store's actor sequence it. An
 * event with a fault goes to the actor as well: when it repeats one that is stored, that is answered with its receipt.
 */
export async function appendVes(
  deps: AppendDependencies,
  params: AppendParams,
  traceparent?: string,
): Promise<AppendReply> {
  const { clock, sha256, strictness, requestLimits, signatures, directory, sequencerId } = deps;
  const deadlineMs = clock.monotonicMs() + params.timeLeftMs;
  const { tenantId, storeId, body, principal, requestId } = params;
  await deps.turnBudget.take(tenantId, body.byteLength);
  const request = readVesRequest(body, strictness, sha256);
  checkVesRequest(request, principal, requestLimits);
  checkStore(request.events, params);
  const judged = await deps.schemaChecks.check(tenantId, request.events, deadlineMs);
  const checked = judged.map((event) => {
    const itself = checkVesEvent(event, strictness, sha256);
    // One that is rejected by its schema needs no look at its signature.
    return event.schemaFault === undefined ? itself : { ...itself, fault: event.schemaFault };
  });
  const events = await signatures.check(tenantId, checked, deadlineMs);
  const store = { tenantId, storeId };
  const answer = await directory.append(store, {
    world: 'ves',
    requestId,
    events,
    byteCount: body.byteLength,
    deadlineMs,
    ...(traceparent !== undefined && { traceparent }),
  });
  const accepted = answer.acceptances.filter(({ isNew }) => isNew);
  const repeated = answer.acceptances.filter(({ isNew }) => !isNew);
  return {
    accepted: accepted.length,
    rejected: answer.rejections.length,
    sequenceStart: accepted[0]?.sequence ?? null,
    sequenceEnd: accepted.at(-1)?.sequence ?? null,
    head: answer.head,
    rejections: answer.rejections,
    receipts: accepted.map(({ eventId, sequence }) => ({ eventId, sequence })),
    signed: {
      sequencerId,
      receipts: [...repeated, ...accepted].map((acceptance) => receipt(store, acceptance, answer, sha256)),
    },
  };
}

/** From the event as it was stored, by this flush or long ago: a replay gets the receipt of the first time. */
function receipt(
  store: StoreKey,
  { eventId, sequence, stored }: Acceptance,
  { appended, sequencedAt }: AppendAnswer,
  sha256: Sha256,
): VesReceipt {
  if (stored !== null) return receiptOf(stored, sha256);
  const event = appended.get(sequence);
  if (event === undefined) {
    throw new InvariantBroken('an accepted event is neither stored nor appended', {
      ...store,
      eventId,
      sequence,
    });
  }
  const { receiptSignature } = event;
  const { signingHash } = event.event;
  return receiptOf({ ...store, eventId, sequence, sequencedAt, signingHash, receiptSignature }, sha256);
}
