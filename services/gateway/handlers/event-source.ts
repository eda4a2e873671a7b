import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import { writeEventList } from '../../../domain/legacy/response.ts';
import type { Sequence, StoreKey, World } from '../../../domain/types.ts';
import type { StoredVesEvent } from '../../../domain/ves/event.ts';
import { type VesResponseContext, writeVesEventList } from '../../../domain/ves/response.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import { heldBytes } from './reading.ts';

/** Where the worlds differ when a range of a stream is read. */
export interface EventSource<Event> {
  readonly world: World;
  read(store: StoreKey, from: Sequence, to: Sequence): Promise<Event[]>;
  /** About what an event takes in memory until it is sent. */
  heldBytes(event: Event): number;
  write(events: readonly Event[]): Uint8Array;
}

export function legacyEvents(events: Pick<EventLog, 'readLegacy'>): EventSource<StoredLegacyEvent> {
  return {
    world: 'legacy',
    read: (store, from, to) => events.readLegacy(store, from, to),
    heldBytes,
    write: writeEventList,
  };
}

export function vesEvents(
  events: Pick<EventLog, 'readVes'>,
  context: VesResponseContext,
): EventSource<StoredVesEvent> {
  return {
    world: 'ves',
    read: (store, from, to) => events.readVes(store, from, to),
    heldBytes: ({ payload }) => 2 * (payload?.length ?? 0) + vesOverheadBytes,
    write: (list) => writeVesEventList(list, context),
  };
}

/** Hashes and signatures as bytes and again as hex, and the receipt. */
const vesOverheadBytes = 3_072;
