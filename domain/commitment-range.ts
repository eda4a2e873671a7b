import type { Commitment } from './commitment.ts';
import type { Head, Sequence, World } from './types.ts';

/** What a caller wants to have committed; u64s as they came, so that a huge one is refused and not rounded. */
export interface WantedRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** What is known of the stream, all at one moment. */
export interface CommittedSoFar {
  readonly head: Head;
  /** The stream's newest commitment, or null when there is none. */
  readonly last: Pick<Commitment, 'sequenceEnd'> | null;
  /** The one whose range begins where the wanted one does, or null. */
  readonly sameStart: Commitment | null;
}

export type RangeVerdict<Existing> =
  /** It can be committed, provided that no event of it is missing. */
  | { readonly kind: 'new'; readonly start: Sequence; readonly end: Sequence }
  /** This very range is committed, and asking again is no mistake. */
  | { readonly kind: 'existing'; readonly commitment: Existing }
  | { readonly kind: 'refused'; readonly sentence: string };

/** The most leaves that one commitment can name: their count is an u32. */
const leafCountMax = 2 ** 32 - 1;

/**
 * What becomes of a wanted range (ves-format 7 and 8.3): ranges follow each other without gap or overlap, only the first
 * may begin anywhere, and all of it must exist. Repeating a range gives the commitment there is in VES, and is refused in
 * legacy.
 */
export function judgeRange<Existing extends Commitment>(
  world: World,
  { start, end }: WantedRange,
  { head, last, sameStart }: CommittedSoFar & { readonly sameStart: Existing | null },
): RangeVerdict<Existing> {
  const refused = (sentence: string) => ({ kind: 'refused', sentence }) as const;
  const range = `${start}..${end}`;
  if (end < start) return refused(`sequence_end ${end} is below sequence_start ${start}`);
  if (start < 1n) return refused(`sequence_start is ${start}; sequences begin at 1`);
  if (sameStart !== null) {
    const { batchId, sequenceEnd } = sameStart;
    if (BigInt(sequenceEnd) !== end) {
      return refused(
        `${start}..${sequenceEnd} is committed already (batch ${batchId}), so ${range} can't be`,
      );
    }
    if (world === 'ves') return { kind: 'existing', commitment: sameStart };
    return refused(`${range} is committed already (batch ${batchId})`);
  }
  if (last !== null && BigInt(last.sequenceEnd) + 1n !== start) {
    return refused(
      `sequence_start is ${start}; the last commitment ends at ${last.sequenceEnd}, so the next begins at ${last.sequenceEnd + 1}`,
    );
  }
  if (BigInt(head) < end) {
    return refused(`the stream has no events beyond ${head}, so ${range} can't be committed`);
  }
  if (end - start >= BigInt(leafCountMax)) {
    return refused(`${range} has ${end - start + 1n} events; a commitment takes at most ${leafCountMax}`);
  }
  return { kind: 'new', start: Number(start) as Sequence, end: Number(end) as Sequence };
}
