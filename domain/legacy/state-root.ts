import type { EntityState } from '../commitment.ts';
import { Preimage } from '../preimage.ts';
import type { Hash, StoreKey } from '../types.ts';

/** A SHA-256 that takes its message in parts. */
export interface Sha256Stream {
  update(part: Uint8Array): void;
  digest(): Hash;
}

/**
 * `legacyStateRoot` for stores whose entities do not fit in memory: takes them a few at a time, in their order by type
 * and id (as UTF-8 bytes), and keeps none.
 */
export class LegacyStateRoot {
  private readonly sha256: Sha256Stream;

  constructor(store: StoreKey, sha256: Sha256Stream) {
    this.sha256 = sha256;
    sha256.update(new Preimage('').uuid(store.tenantId).uuid(store.storeId).view());
  }

  /** @param entities follow, in the order of all, those of the call before */
  add(entities: readonly EntityState[]): void {
    const part = new Preimage('');
    for (const { entityType, entityId, version } of entities) {
      part.rawText(entityType).rawText(entityId).u64le(version);
    }
    this.sha256.update(part.view());
  }

  finish(): Hash {
    return this.sha256.digest();
  }
}
