import type { StoredRef } from '../domain/sequencing/decision.ts';
import type { EventId, World } from '../domain/types.ts';
import { CountedCache } from '../telemetry/counted-cache.ts';
import type { CacheFigures } from '../telemetry/metrics/caches.ts';

/**
 * Events that this node knows to be in the log, so that the usual retry of a lost answer costs no round trip.
 * What is stored stays stored under its number, so an entry never goes stale, whoever owns the stream by now; and
 * forgetting one only costs a look-up.
 */
export class StoredCache {
  private readonly refs: CountedCache<string, StoredRef>;

  /** @param entriesMax how many events of all streams together are remembered */
  constructor(entriesMax: number) {
    this.refs = new CountedCache({ max: entriesMax });
  }

  get figures(): CacheFigures {
    return this.refs.figures;
  }

  get(storeNumber: number, world: World, eventId: EventId): StoredRef | undefined {
    return this.refs.get(keyOf(storeNumber, world, eventId));
  }

  add(storeNumber: number, world: World, eventId: EventId, ref: StoredRef): void {
    this.refs.set(keyOf(storeNumber, world, eventId), { sequence: ref.sequence, requestId: ref.requestId });
  }
}

function keyOf(storeNumber: number, world: World, eventId: EventId): string {
  return `${storeNumber} ${world} ${eventId}`;
}
