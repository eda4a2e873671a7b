import type { Principal } from '../../../domain/access.ts';
import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

interface NewApiKey {
  readonly hash: ApiKeyHash;
  readonly principal: Principal;
  /** How many active keys the owner may have with this one; null for any number. */
  readonly activeKeysMax: number | null;
}

/** One row if the key was added, none if its owner has as many as it may. */
export const insertApiKey: Query<NewApiKey, unknown> = {
  name: 'insert_api_key',
  text: `
    insert into api_keys (key_hash, tenant_id, store_ids, agent_id, can_read, can_write, is_admin, rate_limit_per_minute)
    select $1, $2, $3::uuid[], $4, $5, $6, $7, $8
     where $9::int is null
        or (select count(*)
              from api_keys
             where tenant_id = $2 and agent_id is not distinct from $4 and active) < $9
    returning key_hash`,
  values: ({ hash, principal, activeKeysMax }) => [
    hash,
    principal.tenantId,
    principal.storeIds,
    principal.agentId,
    principal.read,
    principal.write,
    principal.admin,
    principal.requestsPerMinuteMax,
    activeKeysMax,
  ],
  row: (columns) => columns,
};
