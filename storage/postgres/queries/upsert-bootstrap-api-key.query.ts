import { bootstrapAdmin } from '../../../domain/access.ts';
import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const upsertBootstrapApiKey: Query<ApiKeyHash, unknown> = {
  name: 'upsert_bootstrap_api_key',
  text: `
    insert into api_keys (key_hash, tenant_id, can_read, can_write, is_admin)
    values ($1, $2, true, true, true)
    on conflict (key_hash) do update
       set tenant_id = excluded.tenant_id, store_ids = '{}', agent_id = null, can_read = true, can_write = true,
           is_admin = true, rate_limit_per_minute = null, active = true, updated_at = now()`,
  values: (hash) => [hash, bootstrapAdmin.tenantId],
  row: (columns) => columns,
};
