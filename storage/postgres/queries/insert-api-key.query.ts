import type { Principal } from '../../../domain/access.ts';
import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

interface NewApiKey {
  readonly hash: ApiKeyHash;
  readonly principal: Principal;
}

export const insertApiKey: Query<NewApiKey, unknown> = {
  name: 'insert_api_key',
  text: `
    insert into api_keys (key_hash, tenant_id, store_ids, agent_id, can_read, can_write, is_admin, rate_limit_per_minute)
    values ($1, $2, $3::uuid[], $4, $5, $6, $7, $8)`,
  values: ({ hash, principal }) => [
    hash,
    principal.tenantId,
    principal.storeIds,
    principal.agentId,
    principal.read,
    principal.write,
    principal.admin,
    principal.requestsPerMinuteMax,
  ],
  row: (columns) => columns,
};
