import type { AgentKey, AgentKeyRef } from '../../domain/ves/agent-key.ts';
import type { AgentKeys } from '../../storage/agent-keys.ts';
import { PolledCache, type PolledCacheLimits } from './polled-cache.ts';

export interface AgentKeyCacheDependencies extends PolledCacheLimits {
  readonly keys: Pick<AgentKeys, 'find' | 'revision'>;
}

/**
 * The keys with which agents sign, revoked ones too. A revocation acts within a second of its commit, and a new key at once:
 * an agent signs with it as soon as its registration was answered.
 */
export class AgentKeyCache extends PolledCache<AgentKeyRef, AgentKey> {
  constructor({ keys, ...limits }: AgentKeyCacheDependencies) {
    super(
      {
        name: 'agent keys',
        textOf: ({ tenantId, agentId, keyId }) => `${tenantId}/${agentId}/${keyId}`,
        find: (ref) => keys.find(ref),
        revision: () => keys.revision(),
        unknownTtlMaxMs: 0,
      },
      limits,
    );
  }
}
