import type { ApiKeyRecord, KeyOwner } from '../../api-keys.ts';
import { apiKeyColumns, toApiKeyRecord } from '../api-key-row.ts';
import type { Query } from '../query.ts';

interface ApiKeyPage extends KeyOwner {
  readonly afterPrefix: string | null;
  readonly limit: number;
}

export const listApiKeys: Query<ApiKeyPage, ApiKeyRecord> = {
  name: 'list_api_keys',
  text: `
    select ${apiKeyColumns}
      from api_keys
     where tenant_id = $1
       and ($2::uuid is null or agent_id = $2)
       and ($3::text is null
            or (created_at, key_hash) < (select created_at, key_hash
                                           from api_keys
                                          where tenant_id = $1 and starts_with(key_hash, $3)
                                          order by created_at, key_hash
                                          limit 1))
     order by created_at desc, key_hash desc
     limit $4`,
  values: ({ tenantId, agentId, afterPrefix, limit }) => [tenantId, agentId, afterPrefix, limit],
  row: toApiKeyRecord,
};
