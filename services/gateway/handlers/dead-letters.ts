import { Refused } from '../../../domain/errors.ts';
import { deadLetterReasons, deadLetterStatuses } from '../../../domain/projections/dead-letter.ts';
import type { Micros, TenantId } from '../../../domain/types.ts';
import { parseUuid } from '../../../domain/uuid.ts';
import type { AuditAction } from '../../../storage/audit-log.ts';
import type { DeadLetter, DeadLetterPage } from '../../../storage/projections.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { DeadLetterDesk } from '../../projections/dead-letter-desk.ts';
import { originOf } from '../audited-request.ts';
import type { Query } from '../query.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { adminTime, visibleTenant } from './admin-lists.ts';
import { pathUuid } from './reading.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

export interface DeadLetterHandlerDependencies {
  readonly deadLetters: Pick<DeadLetterDesk, 'list' | 'retry' | 'discard'>;
  readonly audit: Pick<AuditLog, 'record'>;
}

export const deadLetterLimitDefault = 100;
export const deadLetterLimitMax = 1_000;

/** Events that projections refused, newest first, in pages. */
export function listDeadLetters({ deadLetters }: DeadLetterHandlerDependencies): Handle {
  return async (request) => {
    const query = request.query();
    const filter = {
      tenantId: askedTenant(request, query),
      storeId: query.optionalUuid('store_id'),
      status: oneOf(query, 'status', deadLetterStatuses),
      reason: oneOf(query, 'reason', deadLetterReasons),
    };
    const page = readPage(query);
    const found = await deadLetters.list(filter, page);
    const last = found.length === page.limit ? found.at(-1) : undefined;
    return jsonReply({
      deadLetters: found.map(deadLetterBody),
      count: found.length,
      nextAfter: last === undefined ? null : `${last.createdAt}_${last.id}`,
    });
  };
}

/** Tries one now; the answer says what came of it. */
export function retryDeadLetter({ deadLetters, audit }: DeadLetterHandlerDependencies): Handle {
  return async (request) => {
    const tenantId = visibleTenant(request.principal);
    const deadLetter = await deadLetters.retry(pathUuid(request, 'id'), tenantId);
    await record(audit, request, 'dead_letter_retried', deadLetter);
    return jsonReply({ success: deadLetter.status === 'resolved', deadLetter: deadLetterBody(deadLetter) });
  };
}

/** Deletes one: its event stays, and changes no projection. */
export function discardDeadLetter({ deadLetters, audit }: DeadLetterHandlerDependencies): Handle {
  return async (request) => {
    const tenantId = visibleTenant(request.principal);
    const deadLetter = await deadLetters.discard(pathUuid(request, 'id'), tenantId);
    await record(audit, request, 'dead_letter_purged', deadLetter);
    return jsonReply({ success: true, discardedId: deadLetter.id });
  };
}

async function record(
  audit: Pick<AuditLog, 'record'>,
  request: ProtectedRequest,
  action: AuditAction,
  { id, tenantId, storeId, eventId, sequence, status, reason }: DeadLetter,
): Promise<void> {
  await audit.record({
    ...originOf(request),
    action,
    tenantId,
    resourceType: 'dead_letter',
    resourceId: id,
    details: { storeId, eventId, sequence, status, reason },
    success: true,
    errorMessage: null,
  });
}

/** @throws Refused when the administrator of a tenant asks for another */
function askedTenant({ principal }: ProtectedRequest, query: Query): TenantId | null {
  const own = visibleTenant(principal);
  const asked = query.optionalUuid('tenant_id');
  if (own === null || asked === null || asked === own) return own ?? asked;
  throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential belongs to another tenant');
}

function oneOf<Name extends string>(query: Query, parameter: string, names: readonly Name[]): Name | null {
  const text = query.optionalText(parameter, 64);
  if (text === null) return null;
  const name = names.find((one) => one === text);
  if (name !== undefined) return name;
  throw new Refused('INVALID_QUERY', `the query parameter ${parameter} takes one of ${names.join(', ')}`);
}

function readPage(query: Query): DeadLetterPage {
  const limit = query.u32('limit', deadLetterLimitDefault);
  if (limit === 0) {
    throw new Refused(
      'INVALID_QUERY',
      `the query parameter limit is "0"; accepted is an integer from 1 (above ${deadLetterLimitMax} it counts as ${deadLetterLimitMax})`,
    );
  }
  return { limit: Math.min(limit, deadLetterLimitMax), after: readCursor(query.optionalText('after', 64)) };
}

const cursorForm = /^(\d{1,17})_(.{36})$/;

function readCursor(text: string | null): DeadLetterPage['after'] {
  if (text === null) return null;
  const [, createdAt, idText] = cursorForm.exec(text) ?? [];
  const id = parseUuid(idText ?? '');
  if (createdAt === undefined || id === null) {
    throw new Refused(
      'INVALID_QUERY',
      'the query parameter after is not what nextAfter of another page said; accepted is that, unchanged',
    );
  }
  return { createdAt: BigInt(createdAt) as Micros, id };
}

function deadLetterBody(deadLetter: DeadLetter): object {
  return {
    id: deadLetter.id,
    tenantId: deadLetter.tenantId,
    storeId: deadLetter.storeId,
    eventId: deadLetter.eventId,
    eventType: deadLetter.eventType,
    reason: deadLetter.reason,
    status: deadLetter.status,
    errorMessage: deadLetter.errorMessage,
    retryCount: deadLetter.retryCount,
    maxRetries: deadLetter.retriesMax,
    lastRetryAt: adminTime(deadLetter.lastRetryAt),
    nextRetryAt: adminTime(deadLetter.nextRetryAt),
    createdAt: adminTime(deadLetter.createdAt),
    metadata: {
      sequenceNumber: deadLetter.sequence,
      entityType: deadLetter.entityType,
      entityId: deadLetter.entityId,
    },
  };
}
