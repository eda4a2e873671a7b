import type { Commitment } from '../../../domain/commitment.ts';
import type { Sequence, World } from '../../../domain/types.ts';
import { nodesPerChunk } from '../../commitment-log.ts';
import type { Query } from '../query.ts';
import { worldColumns } from '../world-columns.ts';

export interface TreeParts {
  readonly commitment: Commitment;
  readonly from: Sequence;
  readonly to: Sequence;
  readonly positions: readonly number[];
}

/** Hashes one after the other, in the order asked for; too few bytes when something is missing. */
export interface TreeBytes {
  readonly leaves: Uint8Array;
  readonly nodes: Uint8Array;
}

/**
 * The leaves of a range of a commitment and some nodes above them, as two strings of bytes: a row for each would cost more
 * to carry than to look up. Of a chunk of nodes only the bytes asked for are read.
 */
export const readTree: Readonly<Record<World, Query<TreeParts, TreeBytes>>> = {
  legacy: readTreeOf('legacy'),
  ves: readTreeOf('ves'),
};

function readTreeOf(world: World): Query<TreeParts, TreeBytes> {
  const joined = (what: string, order: string): string =>
    `coalesce(string_agg(${what}, ''::bytea order by ${order}), '')`;
  return {
    name: `read_${world}_tree`,
    text: `
      select (select ${joined('e.leaf_hash', 'e.sequence')}
                from streams s join ${worldColumns[world].events} e using (store_number)
               where s.tenant_id = $1 and s.store_id = $2 and e.sequence between $3 and $4) as leaves,
             (select ${joined(`substring(n.nodes from (p.position % ${nodesPerChunk})::integer * 32 + 1 for 32)`, 'p.place')}
                from unnest($6::bigint[]) with ordinality as p (position, place)
                join commitment_nodes n on n.batch_id = $5 and n.chunk = p.position / ${nodesPerChunk}) as nodes`,
    values: ({ commitment: { tenantId, storeId, batchId }, from, to, positions }) => [
      tenantId,
      storeId,
      from,
      to,
      batchId,
      positions,
    ],
    row: (columns) => ({ leaves: columns.leaves as Uint8Array, nodes: columns.nodes as Uint8Array }),
  };
}
