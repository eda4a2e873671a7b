import type { ApiKeyHash } from '../../../domain/types.ts';
import type { ApiKeyRecord } from '../../api-keys.ts';
import { apiKeyColumns, toApiKeyRecord } from '../api-key-row.ts';
import type { Query } from '../query.ts';

export const findApiKey: Query<ApiKeyHash, ApiKeyRecord> = {
  name: 'find_api_key',
  text: `
    select ${apiKeyColumns}
      from api_keys
     where key_hash = $1`,
  values: (hash) => [hash],
  row: toApiKeyRecord,
};
