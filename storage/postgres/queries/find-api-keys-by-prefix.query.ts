import type { ApiKeyRecord, KeyOwner } from '../../api-keys.ts';
import { apiKeyColumns, toApiKeyRecord } from '../api-key-row.ts';
import type { Query } from '../query.ts';

interface HashPrefix extends KeyOwner {
  readonly prefix: string;
  readonly limit: number;
}

export const findApiKeysByPrefix: Query<HashPrefix, ApiKeyRecord> = {
  name: 'find_api_keys_by_prefix',
  text: `
    select ${apiKeyColumns}
      from api_keys
     where tenant_id = $1
       and ($2::uuid is null or agent_id = $2)
       and starts_with(key_hash, $3)
     order by key_hash
     limit $4`,
  values: ({ tenantId, agentId, prefix, limit }) => [tenantId, agentId, prefix, limit],
  row: toApiKeyRecord,
};
