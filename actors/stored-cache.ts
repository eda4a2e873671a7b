import type { StoredRef } from '../domain/sequencing/decision.ts';
import type { EventId, World } from '../domain/types.ts';
import type { CacheFigures } from '../telemetry/metrics/caches.ts';

interface Entry extends StoredRef {
  readonly storeNumber: number;
  readonly world: World;
}

/**
 * Events that this node knows to be in the log, so that the usual retry of a lost answer costs no round trip.
 * What is stored stays stored under its number, so an entry never goes stale, whoever owns the stream by now; and
 * forgetting one only costs a look-up.
 *
 * Every appended event passes through here, and hardly any is asked for again, so adding must be cheap: entries go into a
 * young map, and when that is full it becomes the old one, whose predecessor is dropped as a whole. A list in the order of
 * use would cost each event a microsecond and more.
 */
export class StoredCache {
  private readonly youngMax: number;
  /** By event id alone: should two streams have the same one, the later replaces the earlier. */
  private young = new Map<EventId, Entry>();
  private old = new Map<EventId, Entry>();
  private hits = 0;
  private misses = 0;
  private evictions = 0;

  /** @param entriesMax how many events of all streams together are remembered; at least half as many are */
  constructor(entriesMax: number) {
    this.youngMax = Math.max(1, Math.floor(entriesMax / 2));
  }

  get figures(): CacheFigures {
    const { hits, misses, evictions } = this;
    return { hits, misses, size: this.young.size + this.old.size, evictions };
  }

  get(storeNumber: number, world: World, eventId: EventId): StoredRef | undefined {
    const entry = this.young.get(eventId) ?? this.old.get(eventId);
    if (entry?.storeNumber !== storeNumber || entry.world !== world) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    return entry;
  }

  add(storeNumber: number, world: World, eventId: EventId, { sequence, requestId }: StoredRef): void {
    if (this.young.size >= this.youngMax) {
      this.evictions += this.old.size;
      this.old = this.young;
      this.young = new Map();
    }
    // Never what was handed in, which holds the whole event.
    this.young.set(eventId, { storeNumber, world, sequence, requestId });
  }
}
