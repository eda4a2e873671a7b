import type { Sequence, StreamKey, Uuid, World } from '../../../domain/types.ts';
import type { CommitmentPage, StoredCommitment } from '../../commitment-log.ts';
import { commitmentColumns, toCommitment } from '../commitment-row.ts';
import type { Query } from '../query.ts';

const commitments = `select ${commitmentColumns} from commitments c join streams s using (store_number)`;
const ofStream = `s.tenant_id = $1 and s.store_id = $2 and c.world = $3`;
/** In the order of lists, behind the commitment that a parameter names, or anywhere when it is null. */
const behind = (after: string): string => `c.commitment_number > case when ${after}::uuid is null then 0
  else (select commitment_number from commitments where batch_id = ${after}) end`;

export const findCommitment: Query<{ world: World; batchId: Uuid }, StoredCommitment> = {
  name: 'find_commitment',
  text: `${commitments} where c.batch_id = $1 and c.world = $2`,
  values: ({ world, batchId }) => [batchId, world],
  row: toCommitment,
};

export const findCommitmentStartingAt: Query<StreamKey & { start: Sequence }, StoredCommitment> = {
  name: 'find_commitment_starting_at',
  text: `${commitments} where ${ofStream} and c.sequence_start = $4`,
  values: ({ tenantId, storeId, world, start }) => [tenantId, storeId, world, start],
  row: toCommitment,
};

export const findCommitmentEndingAt: Query<StreamKey & { end: number }, StoredCommitment> = {
  name: 'find_commitment_ending_at',
  text: `${commitments} where ${ofStream} and c.sequence_end = $4`,
  values: ({ tenantId, storeId, world, end }) => [tenantId, storeId, world, end],
  row: toCommitment,
};

export const listCommitmentsFrom: Query<StreamKey & { from: Sequence; limit: number }, StoredCommitment> = {
  name: 'list_commitments_from',
  text: `${commitments} where ${ofStream} and c.sequence_end >= $4 order by c.sequence_end limit $5`,
  values: ({ tenantId, storeId, world, from, limit }) => [tenantId, storeId, world, from, limit],
  row: toCommitment,
};

export const listUnanchored: Query<StreamKey & CommitmentPage, StoredCommitment> = {
  name: 'list_unanchored',
  text: `${commitments}
     where ${ofStream} and c.chain_tx_hash is null
       and ${behind('$4')}
     order by c.commitment_number limit $5`,
  values: ({ tenantId, storeId, world, after, limit }) => [tenantId, storeId, world, after, limit],
  row: toCommitment,
};

export const listPending: Query<{ world: World } & CommitmentPage, StoredCommitment> = {
  name: 'list_pending',
  text: `${commitments}
     where c.world = $2 and c.chain_tx_hash is null
       and ${behind('$1')}
     order by c.commitment_number limit $3`,
  values: ({ world, after, limit }) => [after, world, limit],
  row: toCommitment,
};
