import type { Uuid, World } from '../../../domain/types.ts';
import type { StoredCommitment } from '../../commitment-log.ts';
import { commitmentColumns, toCommitment } from '../commitment-row.ts';
import type { Query } from '../query.ts';

export interface ScannedCommitment {
  readonly commitment: StoredCommitment;
  /** Where it says that the one before ends; null in the first. */
  readonly previousEnd: number | null;
}

/** The commitments of a stream in the order of their ranges, behind the one that ends at `after`. */
export const scanCommitments: Query<
  { storeNumber: number; world: World; after: number; limit: number },
  ScannedCommitment
> = {
  name: 'scan_commitments',
  text: `
    select ${commitmentColumns}, c.previous_end
      from commitments c join streams s using (store_number)
     where c.store_number = $1 and c.world = $2 and c.sequence_end > $3
     order by c.sequence_end limit $4`,
  values: ({ storeNumber, world, after, limit }) => [storeNumber, world, after, limit],
  row: (columns) => ({
    commitment: toCommitment(columns),
    previousEnd: columns.previous_end as number | null,
  }),
};

/** A chunk of the nodes that are kept of a commitment's tree. */
export const scanNodes: Query<{ batchId: Uuid; chunk: number }, Uint8Array> = {
  name: 'scan_nodes',
  text: `select nodes from commitment_nodes where batch_id = $1 and chunk = $2`,
  values: ({ batchId, chunk }) => [batchId, chunk],
  row: (columns) => columns.nodes as Uint8Array,
};

/** How many chunks there are. */
export const countChunks: Query<{ batchId: Uuid }, number> = {
  name: 'count_chunks',
  text: `select count(*) as chunks from commitment_nodes where batch_id = $1`,
  values: ({ batchId }) => [batchId],
  row: (columns) => columns.chunks as number,
};
