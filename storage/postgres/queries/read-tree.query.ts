import type { Commitment } from '../../../domain/commitment.ts';
import type { Hash, Sequence, World } from '../../../domain/types.ts';
import { nodesPerChunk } from '../../commitment-log.ts';
import type { Query } from '../query.ts';
import { worldColumns } from '../world-columns.ts';

export interface TreeParts {
  readonly commitment: Commitment;
  readonly sequences: readonly Sequence[];
  readonly positions: readonly number[];
}

export interface TreePart {
  readonly isLeaf: boolean;
  /** Its sequence or its position. */
  readonly place: number;
  readonly hash: Hash;
}

/** Some leaves of a commitment and some nodes above them, in no order. Of a chunk only the bytes asked for are read. */
export const readTree: Readonly<Record<World, Query<TreeParts, TreePart>>> = {
  legacy: readTreeOf('legacy'),
  ves: readTreeOf('ves'),
};

function readTreeOf(world: World): Query<TreeParts, TreePart> {
  return {
    name: `read_${world}_tree`,
    text: `
      select true as is_leaf, e.sequence as place, e.leaf_hash as hash
        from streams s join ${worldColumns[world].events} e using (store_number)
       where s.tenant_id = $1 and s.store_id = $2 and e.sequence = any ($3::bigint[])
      union all
      select false, p.position, substring(n.nodes from (p.position % ${nodesPerChunk})::integer * 32 + 1 for 32)
        from unnest($5::bigint[]) as p (position)
        join commitment_nodes n on n.batch_id = $4 and n.chunk = p.position / ${nodesPerChunk}`,
    values: ({ commitment: { tenantId, storeId, batchId }, sequences, positions }) => [
      tenantId,
      storeId,
      sequences,
      batchId,
      positions,
    ],
    row: (columns) => ({
      isLeaf: columns.is_leaf as boolean,
      place: columns.place as number,
      hash: columns.hash as Hash,
    }),
  };
}
