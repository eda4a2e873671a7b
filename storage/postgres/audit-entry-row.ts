import type { AuditEntry } from '../audit-log.ts';

export const auditEntryColumns = `id, "timestamp", action, actor, actor_type, tenant_id, resource_type, resource_id,
  request_id, ip_address, user_agent, details, success, error_message`;

/** The types are those of the columns in migrations/0009_audit.sql, as row-types.ts reads them. */
export function toAuditEntry(columns: Readonly<Record<string, unknown>>): AuditEntry {
  return {
    id: columns.id,
    timestamp: columns.timestamp,
    action: columns.action,
    actor: columns.actor,
    actorType: columns.actor_type,
    tenantId: columns.tenant_id,
    resourceType: columns.resource_type,
    resourceId: columns.resource_id,
    requestId: columns.request_id,
    ipAddress: columns.ip_address,
    userAgent: columns.user_agent,
    details: columns.details,
    success: columns.success,
    errorMessage: columns.error_message,
  } as AuditEntry;
}
