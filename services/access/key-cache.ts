import type { Principal } from '../../domain/access.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import type { ApiKeys } from '../../storage/api-keys.ts';
import { PolledCache, type PolledCacheLimits } from './polled-cache.ts';

export interface KeyCacheDependencies extends PolledCacheLimits {
  readonly keys: Pick<ApiKeys, 'findByHash' | 'revision'>;
}

/** Short, since an unknown key is most often one that is about to be made. */
const unknownTtlMaxMs = 5_000;

/** Who an active API key speaks for. A revocation acts within a second of its commit. */
export class KeyCache extends PolledCache<ApiKeyHash, Principal> {
  constructor({ keys, ...limits }: KeyCacheDependencies) {
    super(
      {
        name: 'API keys',
        textOf: (hash) => hash,
        find: async (hash) => {
          const record = await keys.findByHash(hash);
          return record?.active === true ? record.principal : null;
        },
        revision: () => keys.revision(),
        unknownTtlMaxMs,
      },
      limits,
    );
  }
}
