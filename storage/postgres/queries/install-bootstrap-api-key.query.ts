import { bootstrapAdmin } from '../../../domain/access.ts';
import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/** One row if the key is active now, none if it was revoked before. */
export const installBootstrapApiKey: Query<ApiKeyHash, unknown> = {
  name: 'install_bootstrap_api_key',
  text: `
    insert into api_keys (key_hash, tenant_id, can_read, can_write, is_admin, bootstrap)
    values ($1, $2, true, true, true, true)
    on conflict (key_hash) do update
       set tenant_id = excluded.tenant_id, store_ids = '{}', agent_id = null, can_read = true, can_write = true,
           is_admin = true, rate_limit_per_minute = null, bootstrap = true, updated_at = now()
     where api_keys.active
    returning key_hash`,
  values: (hash) => [hash, bootstrapAdmin.tenantId],
  row: (columns) => columns,
};
