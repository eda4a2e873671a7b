import { DeadlineExceeded, Refused } from '../../../domain/errors.ts';
import { type Sequence, sequenceMax, type StoreKey } from '../../../domain/types.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import type { Log } from '../../../telemetry/log.ts';
import { jsonTextReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest, RouteRequest } from '../route.ts';
import type { EventSource } from './event-source.ts';
import { permittedStore } from './reading.ts';

export const eventsLimitDefault = 100;
export const eventsLimitMax = 1_000;
/** Read at first, when nothing is known of the payloads: at a megabyte each, still a bearable amount. */
const firstSliceEvents = eventsLimitDefault;
/** Read at once later on. */
const sliceBytes = 8_388_608;

/** A range of one of a store's streams, ascending and without gaps. */
export function listEvents<Event extends { readonly sequence: Sequence }>(
  events: Pick<EventLog, 'heads'>,
  source: EventSource<Event>,
  log: Log,
): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const query = request.query();
    const store = permittedStore(query, request.principal, 'read');
    const from = query.u64('from', 1n);
    const limit = query.u32('limit', eventsLimitDefault);
    if (limit === 0) {
      throw new Refused(
        'INVALID_QUERY',
        `the query parameter limit is "0"; accepted is an integer from 1 (above ${eventsLimitMax} it counts as ${eventsLimitMax})`,
      );
    }
    if (from > BigInt(sequenceMax)) return jsonTextReply(source.write([]));
    const first = Math.max(1, Number(from));
    // The head first: events after it may appear while we read, but none before it may be missing.
    const { [source.world]: head } = await events.heads(store);
    const last = Math.min(head, first + Math.min(limit, eventsLimitMax) - 1);
    const found = await readRange(source, request, store, first, last);
    if (found !== null) return jsonTextReply(source.write(found));
    log.error({ ...store, world: source.world, first, last }, 'a range below the head has a hole');
    return textReply(409, 'the stored range has a hole');
  };
}

/**
 * The events `first` … `last` of a stream, in slices, each of which counts towards what the node may hold before the
 * next is read. Null when one is missing.
 */
async function readRange<Event extends { readonly sequence: Sequence }>(
  source: EventSource<Event>,
  request: RouteRequest,
  store: StoreKey,
  first: number,
  last: number,
): Promise<Event[] | null> {
  const found: Event[] = [];
  let sliceEvents = firstSliceEvents;
  for (let next = first; next <= last;) {
    if (request.timeLeftMs() === 0) throw new DeadlineExceeded('the range is read too slowly');
    const to = Math.min(last, next + sliceEvents - 1);
    const slice = await source.read(store, next as Sequence, to as Sequence);
    if (slice.length !== to - next + 1 || slice.some(({ sequence }, index) => sequence !== next + index)) {
      return null;
    }
    const bytes = slice.reduce((sum, event) => sum + source.heldBytes(event), 0);
    request.reserve(bytes);
    found.push(...slice);
    next = to + 1;
    sliceEvents = Math.max(1, Math.floor((sliceBytes * slice.length) / bytes));
  }
  return found;
}
