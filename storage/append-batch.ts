import { InvariantBroken } from '../domain/errors.ts';
import { type Head, type Heads, headAt, type Sequence, sequenceAfter, sequenceMax } from '../domain/types.ts';
import type { AppendBatch } from './event-log.ts';

/**
 * The heads of the batch's store once it is appended.
 * @throws InvariantBroken when its sequences do not follow the expected heads one by one, or pass the last one
 */
export function headsAfter({ claim, expectedHeads, legacy, ves }: AppendBatch): Heads {
  const { tenantId, storeId } = claim;
  const headAfter = (expectedHead: Head, events: readonly { readonly sequence: Sequence }[]): Head => {
    let head = expectedHead;
    for (const { sequence } of events) {
      if (sequence !== sequenceAfter(head) || sequence > sequenceMax) {
        throw new InvariantBroken(`sequence ${sequence} can't follow head ${head}`, {
          tenantId,
          storeId,
          expectedHead,
          sequence,
        });
      }
      head = headAt(sequence);
    }
    return head;
  };
  return { legacy: headAfter(expectedHeads.legacy, legacy), ves: headAfter(expectedHeads.ves, ves) };
}

/** How many events a batch appends, of both worlds. */
export function eventCountOf({ legacy, ves }: Pick<AppendBatch, 'legacy' | 'ves'>): number {
  return legacy.length + ves.length;
}

/** What an event takes beside its payload: ids, hashes, names. */
const eventOverheadBytes = 300;

/** About how many bytes the batch is for the log. */
export function batchBytes({ legacy, ves }: AppendBatch): number {
  let bytes = (legacy.length + ves.length) * eventOverheadBytes;
  for (const { event } of legacy) bytes += event.payload.length;
  for (const { event } of ves) bytes += event.payload.length;
  return bytes;
}
