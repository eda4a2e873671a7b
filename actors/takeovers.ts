import type { Clock } from '../domain/clock.ts';
import { formatTimestamp } from '../domain/time.ts';
import type { Epoch, StoreKey } from '../domain/types.ts';
import type { Claim } from '../storage/event-log.ts';

/** A store that another node had, and that this one serves now. */
export interface Takeover extends StoreKey {
  /** The node that had it, as the fence row named it. */
  readonly from: string;
  readonly epoch: Epoch;
  /** When its first append under the new claim was durable, as RFC 3339. */
  readonly at: string;
  /**
   * From when the first waiting request was taken up to that first append: the claim, which waits for an append of the
   * old owner, and the append itself. How long it took until requests came here at all is not in it.
   */
  readonly durationMs: number;
}

/** Remembers how often this node took stores over, and the last time. */
export class Takeovers {
  private readonly nodeId: string;
  private readonly clock: Pick<Clock, 'nowMicros'>;
  private taken = 0;
  private latest: Takeover | null = null;

  constructor(nodeId: string, clock: Pick<Clock, 'nowMicros'>) {
    this.nodeId = nodeId;
    this.clock = clock;
  }

  get count(): number {
    return this.taken;
  }

  get last(): Takeover | null {
    return this.latest;
  }

  /**
   * Notes the first append under a claim.
   * @returns whether it was a takeover: a new store, and one that this node had before, is none
   */
  note({ tenantId, storeId, epoch, previousClaimant: from }: Claim, durationMs: number): boolean {
    if (from === null || from === this.nodeId) return false;
    this.taken += 1;
    const at = formatTimestamp(this.clock.nowMicros(), '+00:00');
    this.latest = { tenantId, storeId, from, epoch, at, durationMs };
    return true;
  }
}
