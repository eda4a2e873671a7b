import type { AuditEntry, NewAuditEntry } from '../../audit-log.ts';
import { auditEntryColumns, toAuditEntry } from '../audit-entry-row.ts';
import type { Query } from '../query.ts';

type About = Pick<NewAuditEntry, 'action' | 'resourceType' | 'resourceId'>;

export const latestAuditEntry: Query<About, AuditEntry> = {
  name: 'latest_audit_entry',
  text: `
    select ${auditEntryColumns}
      from audit_log
     where action = $1 and resource_type = $2 and resource_id is not distinct from $3
     order by "timestamp" desc, id desc
     limit 1`,
  values: ({ action, resourceType, resourceId }) => [action, resourceType, resourceId],
  row: toAuditEntry,
};
