import type { Epoch, Head, Heads } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export interface FenceRow {
  readonly storeNumber: number;
  readonly epoch: Epoch;
  readonly claimant: string;
  readonly heads: Heads;
}

/** Who owns these stores now, and their heads: why an append of theirs took no effect. */
export const fenceRows: Query<readonly number[], FenceRow> = {
  name: 'fence_rows',
  text: `
    select store_number, epoch, claimant, legacy_head, ves_head
      from streams where store_number = any ($1::bigint[])`,
  values: (storeNumbers) => [storeNumbers],
  row: (columns) => ({
    storeNumber: columns.store_number as number,
    epoch: columns.epoch as Epoch,
    claimant: columns.claimant as string,
    heads: { legacy: columns.legacy_head as Head, ves: columns.ves_head as Head },
  }),
};
