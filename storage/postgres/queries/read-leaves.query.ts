import type { Sequence, StoreKey, World } from '../../../domain/types.ts';
import type { CheckedLeaves } from '../../commitment-log.ts';
import type { Query } from '../query.ts';
import { worldColumns } from '../world-columns.ts';

export interface LeafRange extends StoreKey {
  readonly storeNumber: number;
  readonly from: Sequence;
  readonly to: Sequence;
}

const joined = `coalesce(string_agg(e.leaf_hash, ''::bytea order by e.sequence), '') as leaves`;

/** The leaves of a range, as one string of bytes: a row for each would cost more to carry than to hash. */
export const readLeaves: Readonly<Record<World, Query<LeafRange, Uint8Array>>> = {
  legacy: readLeavesOf('legacy'),
  ves: readLeavesOf('ves'),
};

/** The same, and the first that differs from what Postgres makes of its event. */
export const checkLeaves: Readonly<Record<World, Query<LeafRange, CheckedLeaves>>> = {
  legacy: checkLeavesOf('legacy'),
  ves: checkLeavesOf('ves'),
};

function readLeavesOf(world: World): Query<LeafRange, Uint8Array> {
  return {
    name: `read_${world}_leaves`,
    text: `
      select ${joined} from ${worldColumns[world].events} e
       where e.store_number = $1 and e.sequence between $2 and $3`,
    values: ({ storeNumber, from, to }) => [storeNumber, from, to],
    row: (columns) => columns.leaves as Uint8Array,
  };
}

function checkLeavesOf(world: World): Query<LeafRange, CheckedLeaves> {
  const { events, leafOf } = worldColumns[world];
  return {
    name: `check_${world}_leaves`,
    text: `
      select ${joined},
             min(e.sequence) filter (where e.leaf_hash <> ${leafOf('uuid_send($4) || uuid_send($5)')}) as first_wrong
        from ${events} e where e.store_number = $1 and e.sequence between $2 and $3`,
    values: ({ storeNumber, from, to, tenantId, storeId }) => [storeNumber, from, to, tenantId, storeId],
    row: (columns) => ({
      leaves: columns.leaves as Uint8Array,
      firstWrong: columns.first_wrong as Sequence | null,
    }),
  };
}
