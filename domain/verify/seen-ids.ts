import type { EventId, Sequence } from '../types.ts';

/** The ids of a stream's events with their sequences; split over many maps, since one map ends at 2^24 entries. */
export class SeenIds {
  private readonly maps = new Map<string, Map<EventId, Sequence>>();

  /** @returns the sequence that the id was seen with before, or null */
  add(eventId: EventId, sequence: Sequence): Sequence | null {
    // The end of an id is random, whatever its version.
    const part = eventId.slice(-2);
    let map = this.maps.get(part);
    if (map === undefined) this.maps.set(part, (map = new Map<EventId, Sequence>()));
    const before = map.get(eventId) ?? null;
    if (before === null) map.set(eventId, sequence);
    return before;
  }
}
