import type { AgentId, ApiKeyHash, Micros, StoreId, TenantId } from '../../domain/types.ts';
import type { ApiKeyRecord } from '../api-keys.ts';

export const apiKeyColumns =
  'key_hash, tenant_id, store_ids, agent_id, can_read, can_write, is_admin, rate_limit_per_minute, active, created_at';

/** The types are those of the columns in migrations/0002_api_keys.sql, as row-types.ts reads them. */
export function toApiKeyRecord(columns: Readonly<Record<string, unknown>>): ApiKeyRecord {
  return {
    hash: columns.key_hash as ApiKeyHash,
    active: columns.active as boolean,
    principal: {
      tenantId: columns.tenant_id as TenantId,
      storeIds: columns.store_ids as StoreId[],
      agentId: columns.agent_id as AgentId | null,
      read: columns.can_read as boolean,
      write: columns.can_write as boolean,
      admin: columns.is_admin as boolean,
      requestsPerMinuteMax: columns.rate_limit_per_minute as number | null,
    },
    createdAt: columns.created_at as Micros,
  };
}
