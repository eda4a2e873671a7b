import type { ApiKeyHash } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const revokeOtherBootstrapApiKeys: Query<ApiKeyHash, unknown> = {
  name: 'revoke_other_bootstrap_api_keys',
  text: `
    update api_keys set active = false, updated_at = now()
     where bootstrap and active and key_hash <> $1`,
  values: (hash) => [hash],
  row: (columns) => columns,
};
