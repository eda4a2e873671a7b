import type { NewAuditEntry } from '../../audit-log.ts';
import type { Query } from '../query.ts';

export const insertAuditEntry: Query<NewAuditEntry, unknown> = {
  name: 'insert_audit_entry',
  text: `
    insert into audit_log (action, actor, actor_type, tenant_id, resource_type, resource_id, request_id, ip_address,
                           user_agent, details, success, error_message)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $11, $12)`,
  values: (entry) => [
    entry.action,
    entry.actor,
    entry.actorType,
    entry.tenantId,
    entry.resourceType,
    entry.resourceId,
    entry.requestId,
    entry.ipAddress,
    entry.userAgent,
    JSON.stringify(entry.details),
    entry.success,
    entry.errorMessage,
  ],
  row: (columns) => columns,
};
