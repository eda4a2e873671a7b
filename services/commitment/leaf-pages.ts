import { Refused } from '../../domain/errors.ts';
import type { Hash, Sequence } from '../../domain/types.ts';
import type { SequenceRange } from '../../storage/commitment-log.ts';

/** Events that the stream's head says are there are not: refused as any range is that can't be, and a fault of the log. */
export class EventsMissing extends Refused {}

/** How many leaves are held at once: 2 to this. */
export const pageHeight = 12;

/**
 * The leaves of a range, in pages of `2 ** pageHeight` but the last.
 * @param readPage the leaves that exist between two sequences, 32 bytes each
 * @throws EventsMissing
 */
export async function* leafPages(
  { start, end }: SequenceRange,
  readPage: (from: Sequence, to: Sequence) => Promise<Uint8Array>,
): AsyncGenerator<Hash[]> {
  for (let from = start; from <= end; from = (from + 2 ** pageHeight) as Sequence) {
    const to = Math.min(end, from + 2 ** pageHeight - 1) as Sequence;
    const bytes = await readPage(from, to);
    const count = bytes.length / 32;
    const wanted = to - from + 1;
    if (count !== wanted) {
      throw new EventsMissing(
        'INVALID_FIELD_VALUE',
        `of the ${wanted} events ${from}..${to} ${wanted - count} are missing, so ${start}..${end} can't be committed`,
        { start, end, from, to, found: count },
      );
    }
    yield Array.from({ length: count }, (_, at) => bytes.subarray(at * 32, at * 32 + 32) as Hash);
  }
}
