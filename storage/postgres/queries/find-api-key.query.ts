import type { AgentId, ApiKeyHash, StoreId, TenantId } from '../../../domain/types.ts';
import type { ApiKeyRecord } from '../../api-keys.ts';
import type { Query } from '../query.ts';

export const findApiKey: Query<ApiKeyHash, ApiKeyRecord> = {
  name: 'find_api_key',
  text: `
    select key_hash, tenant_id, store_ids, agent_id, can_read, can_write, is_admin, rate_limit_per_minute, active
      from api_keys
     where key_hash = $1`,
  values: (hash) => [hash],
  row: (columns) => ({
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
  }),
};
