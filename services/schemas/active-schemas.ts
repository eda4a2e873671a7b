import type { TenantId, Uuid } from '../../domain/types.ts';
import type { Schemas } from '../../storage/schemas.ts';
import { PolledCache, type PolledCacheLimits } from '../access/polled-cache.ts';

export interface ActiveSchemasDependencies extends PolledCacheLimits {
  readonly schemas: Pick<Schemas, 'listActive' | 'revision'>;
}

/** More than a tenant can have under any setting: one that is lowered must not let events through. */
const eventTypesMax = 100_000;

export interface ActiveVersion {
  readonly id: Uuid;
  readonly version: number;
}

/** By event type. */
export type ActiveVersions = ReadonlyMap<string, ActiveVersion>;

/**
 * Which schemas judge the payloads of a tenant. A tenant without any is an entry as well, so that its events cost no look-up.
 * A change acts within a second of its commit.
 */
export class ActiveSchemas extends PolledCache<TenantId, ActiveVersions> {
  constructor({ schemas, ...limits }: ActiveSchemasDependencies) {
    super(
      {
        name: 'schemas',
        textOf: (tenantId) => tenantId,
        find: async (tenantId) => {
          const active = await schemas.listActive(tenantId, eventTypesMax);
          return new Map(active.map(({ eventType, id, version }) => [eventType, { id, version }]));
        },
        revision: () => schemas.revision(),
        // There is always an answer, if an empty one.
        unknownTtlMaxMs: 0,
      },
      limits,
    );
  }
}
