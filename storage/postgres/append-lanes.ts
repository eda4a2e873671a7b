import type { TenantId } from '../../domain/types.ts';
import { batchBytes } from '../append-batch.ts';
import type { AppendOutcome } from '../event-log.ts';
import type { SealedBatch } from '../payloads/payload-vault.ts';
import type { AppendLane } from './append-lane.ts';

type Lane = Pick<AppendLane, 'append' | 'close'>;

/** A lane, and what it was given and has not settled. */
interface Load {
  readonly lane: Lane;
  bytes: number;
  readonly batchesByTenant: Map<TenantId, number>;
}

interface StoreLoad {
  readonly load: Load;
  batches: number;
}

/**
 * With less than this on a lane, its tenant's next batch joins it. A statement costs both sides together as much as some
 * 25 events of 1 KB in it do, so what is less is better gathered for one than sent beside it in another.
 */
export const gatherBytesMax = 32_768;

/**
 * Spreads appends over the lanes. A store keeps to its lane while it has anything on the way there, so that its appends
 * can't pass each other; else it takes the one with the fewest bytes. What little a tenant has keeps together, and a
 * tenant is on all lanes but one at most: there is always one where others need not wait behind it.
 */
export class AppendLanes {
  private readonly loads: readonly Load[];
  private readonly stores = new Map<number, StoreLoad>();

  constructor(lanes: readonly Lane[]) {
    this.loads = lanes.map((lane) => ({ lane, bytes: 0, batchesByTenant: new Map() }));
  }

  /** As `EventLog.append`, for a batch with events. */
  async append(sealed: SealedBatch): Promise<AppendOutcome> {
    const { tenantId, storeNumber } = sealed.batch.claim;
    const store = this.stores.get(storeNumber) ?? { load: this.choose(tenantId), batches: 0 };
    const { load } = store;
    const bytes = batchBytes(sealed.batch);
    this.stores.set(storeNumber, store);
    store.batches += 1;
    load.bytes += bytes;
    load.batchesByTenant.set(tenantId, (load.batchesByTenant.get(tenantId) ?? 0) + 1);
    try {
      return await load.lane.append(sealed);
    } finally {
      store.batches -= 1;
      if (store.batches === 0) this.stores.delete(storeNumber);
      load.bytes -= bytes;
      const left = load.batchesByTenant.get(tenantId)! - 1;
      if (left > 0) load.batchesByTenant.set(tenantId, left);
      else load.batchesByTenant.delete(tenantId);
    }
  }

  /** Answers what is on its way, and refuses what was not sent. */
  async close(): Promise<void> {
    await Promise.all(this.loads.map(({ lane }) => lane.close()));
  }

  private choose(tenantId: TenantId): Load {
    const own = this.loads.filter(({ batchesByTenant }) => batchesByTenant.has(tenantId));
    const gathering = own.find(({ bytes }) => bytes < gatherBytesMax);
    if (gathering !== undefined) return gathering;
    const isAtMost = own.length > 0 && own.length >= this.loads.length - 1;
    return (isAtMost ? own : this.loads).reduce((least, load) => (load.bytes < least.bytes ? load : least));
  }
}
