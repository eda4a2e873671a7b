import type { AgentRef, ApiKeyRecord } from '../../api-keys.ts';
import { apiKeyColumns, toApiKeyRecord } from '../api-key-row.ts';
import type { Query } from '../query.ts';

export const findLatestApiKey: Query<AgentRef, ApiKeyRecord> = {
  name: 'find_latest_api_key',
  text: `
    select ${apiKeyColumns}
      from api_keys
     where tenant_id = $1 and agent_id = $2
     order by updated_at desc, created_at desc, key_hash desc
     limit 1`,
  values: ({ tenantId, agentId }) => [tenantId, agentId],
  row: toApiKeyRecord,
};
