import type { AuditEntry, AuditFilter, AuditPage } from '../../audit-log.ts';
import { auditEntryColumns, toAuditEntry } from '../audit-entry-row.ts';
import type { Query } from '../query.ts';
import { timestampText } from '../timestamp-text.ts';

interface ListParameters {
  readonly filter: AuditFilter;
  readonly page: AuditPage;
}

/** A statement of its own for each kind of filter, so that each gets a plan with the index that fits. */
export function listAuditEntries({ tenantId, action }: AuditFilter): Query<ListParameters, AuditEntry> {
  return variants[tenantId === null ? 'all' : 'tenant'][action === null ? 'all' : 'action'];
}

const variants = {
  all: { all: variant('', false, false), action: variant('_action', false, true) },
  tenant: { all: variant('_tenant', true, false), action: variant('_tenant_action', true, true) },
} as const;

function variant(suffix: string, byTenant: boolean, byAction: boolean): Query<ListParameters, AuditEntry> {
  return {
    name: `list_audit_entries${suffix}`,
    text: `
    select ${auditEntryColumns}
      from audit_log
     where ${byTenant ? 'tenant_id = $1' : '$1::uuid is null'}
       and ${byAction ? 'action = $2' : '$2::text is null'}
       and "timestamp" >= coalesce($3::timestamptz, '-infinity')
       and "timestamp" < coalesce($4::timestamptz, 'infinity')
       and ("timestamp", id) < (coalesce($5::timestamptz, 'infinity'), coalesce($6::bigint, 0))
     order by "timestamp" desc, id desc
     limit $7`,
    values: ({ filter, page: { after, limit } }) => [
      filter.tenantId,
      filter.action,
      timestampText(filter.from),
      timestampText(filter.to),
      timestampText(after?.timestamp ?? null),
      after?.id ?? null,
      limit,
    ],
    row: toAuditEntry,
  };
}
