import { checkLegacyRequest } from '../../domain/legacy/check-request.ts';
import { readLegacyRequest } from '../../domain/legacy/request.ts';
import type { AppendParams, AppendReply } from '../contracts.ts';
import type { AppendDependencies } from './append.ts';
import { checkStore } from './check-store.ts';

/** Reads a request of unsigned events, checks it as a whole, and has the store's actor sequence it. */
export async function appendLegacy(
  { clock, sha256, requestLimits, directory, turnBudget, schemaChecks }: AppendDependencies,
  params: AppendParams,
  traceparent?: string,
): Promise<AppendReply> {
  const deadlineMs = clock.monotonicMs() + params.timeLeftMs;
  const { tenantId, storeId, body, principal, requestId } = params;
  await turnBudget.take(tenantId, body.byteLength);
  const request = readLegacyRequest(body, sha256);
  checkLegacyRequest(request, principal, requestLimits);
  checkStore(request.events, params);
  const events = await schemaChecks.check(tenantId, request.events, deadlineMs);
  const answer = await directory.append(
    { tenantId, storeId },
    {
      world: 'legacy',
      requestId,
      events,
      byteCount: body.byteLength,
      deadlineMs,
      ...(traceparent !== undefined && { traceparent }),
    },
  );
  const receipts = answer.acceptances.map(({ eventId, sequence }) => ({ eventId, sequence }));
  return {
    accepted: receipts.length,
    rejected: answer.rejections.length,
    sequenceStart: receipts[0]?.sequence ?? null,
    sequenceEnd: receipts.at(-1)?.sequence ?? null,
    head: answer.head,
    rejections: [
      ...answer.rejections.filter(({ reason }) => reason === 'schema-validation'),
      ...answer.rejections.filter(({ reason }) => reason !== 'schema-validation'),
    ],
    receipts,
  };
}
