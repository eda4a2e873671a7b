import type { Uuid } from '../../../domain/types.ts';
import type { NewCommitment, StoredCommitment } from '../../commitment-log.ts';
import { commitmentColumns, toCommitment } from '../commitment-row.ts';
import type { StreamKey } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export interface CommitmentRow extends NewCommitment, Pick<StreamKey, 'world'> {
  readonly storeNumber: number;
  /** Where the one before ended; null for the first. */
  readonly previousEnd: number | null;
}

/** Adds a commitment to a chain that this transaction has locked, and moves the chain's end. */
export const insertCommitment: Query<CommitmentRow, StoredCommitment> = {
  name: 'insert_commitment',
  keepsPlan: true,
  text: `
    with moved as (
      update commitment_chains set sequence_end = $6 where store_number = $2 and world = $3),
    c as (
      insert into commitments (batch_id, store_number, world, previous_end, sequence_start, sequence_end, root,
             previous_state_root, state_root, sequencer_id, sequencer_key_version, sequencer_signature, committed_at)
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, greatest(clock_timestamp(), (
             select committed_at from commitments where store_number = $2 and world = $3
              order by sequence_start desc limit 1))
      returning *)
    select ${commitmentColumns} from c join streams s using (store_number)`,
  values: (row) => [
    row.batchId,
    row.storeNumber,
    row.world,
    row.previousEnd,
    row.sequenceStart,
    row.sequenceEnd,
    row.root,
    row.previousStateRoot,
    row.stateRoot,
    row.signature?.sequencerId ?? null,
    row.signature?.keyVersion ?? null,
    row.signature?.signature ?? null,
  ],
  row: toCommitment,
};

export const insertNodes: Query<
  { readonly batchId: Uuid; readonly chunk: number; readonly nodes: Uint8Array },
  never
> = {
  name: 'insert_nodes',
  text: `insert into commitment_nodes (batch_id, chunk, nodes) values ($1, $2, $3)`,
  values: ({ batchId, chunk, nodes }) => [batchId, chunk, nodes],
  row: (columns) => columns as never,
};
