import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/** One row if the key was active, none if not. */
export const revokeApiKey: Query<ApiKeyHash, unknown> = {
  name: 'revoke_api_key',
  text: `
    update api_keys set active = false, updated_at = now()
     where key_hash = $1 and active
    returning key_hash`,
  values: (hash) => [hash],
  row: (columns) => columns,
};
