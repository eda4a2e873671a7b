import type { Clock } from '../../domain/clock.ts';
import type { PointSource } from '../../storage/point-source.ts';
import { CountedCache } from '../../telemetry/counted-cache.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';

export interface RateLimiterOptions {
  readonly source: PointSource;
  readonly windowMs: number;
  /** Keys remembered at once; the one unused for longest is forgotten. */
  readonly entriesMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** What became of one request. */
export interface RateVerdict {
  readonly isAllowed: boolean;
  readonly limit: number;
  /** Requests left in the window; across nodes as of the last lease. */
  readonly remaining: number;
  /** Until the window ends; at least 1. */
  readonly resetSecs: number;
}

interface Lease {
  /** Points taken from the source and not used yet. */
  left: number;
  /** What the source had left when it was last asked. */
  remaining: number;
  /** End of the window, on the clock's monotonic scale. */
  resetAtMs: number;
  /** Points taken beyond what was wanted, the last time. */
  spare: number;
  /** Requests that wait for points. */
  waiting: number;
  refilling: Promise<void> | null;
}

/** What a column of the shared counts can hold, with room for what is taken beyond the limit. */
const limitMax = 1_000_000_000;
/** A node holds at most this part of what was left in reserve, so that little of a limit lies idle on other nodes. */
const spareShare = 1 / 50;

/**
 * Allows so many requests a key and window, over all nodes that take from one source.
 *
 * A node takes points in lots and counts them down in memory. A lot is what waits, and a reserve that doubles with
 * each lot of a window up to a fiftieth of what is left: a node with little traffic holds next to nothing, and near the end
 * everyone takes single points. Points are granted by the source's own order, so a limit is never passed; what idle
 * nodes hold, at most a fiftieth of it each, is the only part that may go unused.
 */
export class RateLimiter {
  private readonly options: RateLimiterOptions;
  private readonly leases: CountedCache<string, Lease>;

  constructor(options: RateLimiterOptions) {
    this.options = options;
    this.leases = new CountedCache({
      max: options.entriesMax,
      dispose: (_lease, key) => options.source.forget(key),
    });
  }

  /** Of those who are counted. */
  get figures(): CacheFigures {
    return this.leases.figures;
  }

  /** Counts one request; answers at once as long as points are held, and waits for the source otherwise. */
  take(key: string, requestsMax: number): RateVerdict | Promise<RateVerdict> {
    const limit = Math.min(Math.max(requestsMax, 1), limitMax);
    const now = this.options.clock.monotonicMs();
    let lease = this.leases.get(key);
    if (lease === undefined) {
      lease = { left: 0, remaining: limit, resetAtMs: now, spare: 0, waiting: 0, refilling: null };
      this.leases.set(key, lease);
    }
    if (now < lease.resetAtMs) {
      if (lease.left > 0) return use(lease, limit, now);
      if (lease.remaining === 0) return verdict(lease, false, limit, now);
    }
    return this.wait(lease, key, limit);
  }

  private async wait(lease: Lease, key: string, limit: number): Promise<RateVerdict> {
    lease.waiting += 1;
    try {
      for (;;) {
        lease.refilling ??= this.refill(lease, key, limit).finally(() => (lease.refilling = null));
        await lease.refilling;
        const now = this.options.clock.monotonicMs();
        if (lease.left > 0) return use(lease, limit, now);
        if (lease.remaining === 0) return verdict(lease, false, limit, now);
      }
    } finally {
      lease.waiting -= 1;
    }
  }

  private async refill(lease: Lease, key: string, limit: number): Promise<void> {
    const { source, clock, windowMs } = this.options;
    await Promise.resolve(); // Requests of the same turn share the lot.
    if (clock.monotonicMs() >= lease.resetAtMs) {
      lease.remaining = limit;
      lease.spare = 0;
    }
    const spareMax = Math.max(1, Math.floor(lease.remaining * spareShare));
    const wanted = source.isShared ? Math.min(limit, lease.waiting + Math.min(lease.spare, spareMax)) : limit;
    const { consumed, resetInMs } = await source.consume(key, wanted, windowMs);
    const granted = Math.min(wanted, Math.max(0, limit - (consumed - wanted)));
    lease.left = granted;
    lease.remaining = Math.max(0, limit - consumed);
    lease.resetAtMs = clock.monotonicMs() + resetInMs;
    lease.spare = Math.max(1, lease.spare * 2);
  }
}

function use(lease: Lease, limit: number, now: number): RateVerdict {
  lease.left -= 1;
  return verdict(lease, true, limit, now);
}

function verdict(lease: Lease, isAllowed: boolean, limit: number, now: number): RateVerdict {
  return {
    isAllowed,
    limit,
    remaining: lease.left + lease.remaining,
    resetSecs: Math.max(1, Math.ceil((lease.resetAtMs - now) / 1_000)),
  };
}
