import { Refused } from '../../../domain/errors.ts';
import type { Micros } from '../../../domain/types.ts';
import type { AuditEntries, AuditEntry, AuditPage } from '../../../storage/audit-log.ts';
import type { Query } from '../query.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { adminTime, visibleTenant } from './admin-lists.ts';

export const auditLimitDefault = 100;
export const auditLimitMax = 1_000;
export const actionLengthMax = 64;

/** Who changed what, newest first, in pages. The administrator of a tenant sees what concerns the tenant. */
export function listAuditEntries(
  entries: Pick<AuditEntries, 'list'>,
): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const own = visibleTenant(request.principal);
    const query = request.query();
    const asked = query.optionalUuid('tenant_id');
    if (own !== null && asked !== null && asked !== own) {
      throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential belongs to another tenant');
    }
    const filter = {
      tenantId: own ?? asked,
      action: query.optionalText('action', actionLengthMax),
      from: query.optionalTimestamp('from'),
      to: query.optionalTimestamp('to'),
    };
    const page = readPage(query);
    const found = await entries.list(filter, page);
    const last = found.length === page.limit ? found.at(-1) : undefined;
    return jsonReply({
      entries: found.map(entryBody),
      count: found.length,
      nextAfter: last === undefined ? null : `${last.timestamp}-${last.id}`,
    });
  };
}

function readPage(query: Query): AuditPage {
  const limit = query.u32('limit', auditLimitDefault);
  if (limit === 0) {
    throw new Refused(
      'INVALID_QUERY',
      `the query parameter limit is "0"; accepted is an integer from 1 (above ${auditLimitMax} it counts as ${auditLimitMax})`,
    );
  }
  return { limit: Math.min(limit, auditLimitMax), after: readCursor(query.optionalText('after', 64)) };
}

/** Digits that no timestamp and no number of an entry exceed. */
const cursorForm = /^(\d{1,17})-(\d{1,15})$/;

function readCursor(text: string | null): AuditPage['after'] {
  if (text === null) return null;
  const [, timestamp, id] = cursorForm.exec(text) ?? [];
  if (timestamp === undefined || id === undefined) {
    throw new Refused(
      'INVALID_QUERY',
      'the query parameter after is not what nextAfter of another page said; accepted is that, unchanged',
    );
  }
  return { timestamp: BigInt(timestamp) as Micros, id: Number(id) };
}

function entryBody({ timestamp, ...entry }: AuditEntry): object {
  return {
    id: entry.id,
    timestamp: adminTime(timestamp),
    action: entry.action,
    actor: entry.actor,
    actorType: entry.actorType,
    tenantId: entry.tenantId,
    resourceType: entry.resourceType,
    resourceId: entry.resourceId,
    requestId: entry.requestId,
    ipAddress: entry.ipAddress,
    userAgent: entry.userAgent,
    details: entry.details,
    success: entry.success,
    errorMessage: entry.errorMessage,
  };
}
