import type { AgentId, ApiKeyHash, StoreId, TenantId } from '../../../domain/types.ts';
import type { ApiKeyRecord } from '../../api-keys.ts';

interface ApiKeyRow {
  readonly tenant_id: string;
  readonly store_ids: string[];
  readonly agent_id: string | null;
  readonly can_read: boolean;
  readonly can_write: boolean;
  readonly is_admin: boolean;
  readonly rate_limit_per_minute: string | null;
  readonly active: boolean;
}

export const findApiKey = {
  name: 'find_api_key',
  text: `
    select tenant_id, store_ids::text[], agent_id, can_read, can_write, is_admin,
           rate_limit_per_minute::text, active
      from api_keys
     where key_hash = $1`,

  values: (hash: ApiKeyHash): unknown[] => [hash],

  /** Postgres writes a uuid as our domain does, so its texts are taken as they are. */
  record: (hash: ApiKeyHash, row: ApiKeyRow): ApiKeyRecord => ({
    hash,
    active: row.active,
    principal: {
      tenantId: row.tenant_id as TenantId,
      storeIds: row.store_ids as StoreId[],
      agentId: row.agent_id as AgentId | null,
      read: row.can_read,
      write: row.can_write,
      admin: row.is_admin,
      requestsPerMinuteMax: row.rate_limit_per_minute === null ? null : Number(row.rate_limit_per_minute),
    },
  }),
};
