import type { ApiKeyHash } from '../../../domain/types.ts';

export const revokeApiKey = {
  name: 'revoke_api_key',
  text: `
    update api_keys set active = false, updated_at = now()
     where key_hash = $1 and active`,

  values: (hash: ApiKeyHash): unknown[] => [hash],
};
