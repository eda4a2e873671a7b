import type { Micros } from '../../../domain/types.ts';
import type { NewCommitment } from '../../commitment-log.ts';
import { ParameterArrays, type ElementType } from '../parameter-arrays.ts';
import type { Query } from '../query.ts';

/** A commitment of the VES world with its only chunk of nodes, and where its chain has to end for it to fit. */
export interface FittingCommitment {
  readonly commitment: NewCommitment;
  /** Empty for a single leaf. */
  readonly nodes: Uint8Array;
  readonly storeNumber: number;
  /** Where the one before ended, and its time; null for the first. */
  readonly previous: { readonly sequenceEnd: number; readonly committedAt: Micros } | null;
}

export interface AddedCommitment {
  readonly storeNumber: number;
  readonly committedAt: Micros;
}

const columns = {
  batch_id: 'uuid',
  store_number: 'int64',
  previous_end: 'int64',
  previous_committed_at: 'timestamp',
  sequence_start: 'int64',
  sequence_end: 'int64',
  root: 'bytea',
  previous_state_root: 'bytea',
  state_root: 'bytea',
  sequencer_id: 'uuid',
  sequencer_key_version: 'int64',
  sequencer_signature: 'bytea',
  nodes: 'bytea',
} as const satisfies Record<string, ElementType>;

const names = Object.keys(columns);

/**
 * Adds commitments, each of another stream, to the chains that still end where they have to, and says which these were. It
 * is its own transaction, so nobody can be paused inside it. As in an append, a chain that another session holds is left
 * out, not waited for, and what is locked is locked in the order of numbers. Should a row change while it is being locked,
 * Postgres checks its conditions again on the new version.
 */
export const addCommitments: Query<readonly FittingCommitment[], AddedCommitment> = {
  name: 'add_commitments',
  keepsPlan: true,
  text: `
    with new as materialized (
      select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::bigint[],
                           $7::bytea[], $8::bytea[], $9::bytea[], $10::uuid[], $11::bigint[], $12::bytea[], $13::bytea[])
             as n (${names.join(', ')}) order by store_number),
    locked as (
      select c.store_number
        from new n cross join lateral (
             select store_number from commitment_chains
              where store_number = n.store_number and world = 'ves' and sequence_end = coalesce(n.previous_end, 0)
                for update skip locked) as c),
    moved as (
      update commitment_chains c
         set sequence_end = (select n.sequence_end from new n where n.store_number = c.store_number)
       where c.store_number = any (array(select store_number from locked)) and c.world = 'ves'
      returning c.store_number),
    added as (
      insert into commitments (batch_id, store_number, world, previous_end, sequence_start, sequence_end, root,
             previous_state_root, state_root, sequencer_id, sequencer_key_version, sequencer_signature, committed_at)
      select batch_id, store_number, 'ves', previous_end, sequence_start, sequence_end, root, previous_state_root,
             state_root, sequencer_id, sequencer_key_version, sequencer_signature,
             greatest(clock_timestamp(), previous_committed_at)
        from moved join new using (store_number)
      returning store_number, committed_at),
    stored as (
      insert into commitment_nodes (batch_id, chunk, nodes)
      select batch_id, 0, nodes from moved join new using (store_number) where length(nodes) > 0)
    select store_number, committed_at from added`,
  values(commitments) {
    const arrays = new ParameterArrays(columns);
    for (const fitting of commitments) write(arrays.to, fitting);
    return arrays.finish();
  },
  row: (row) => ({
    storeNumber: row.store_number as number,
    committedAt: row.committed_at as Micros,
  }),
};

function write(
  to: ParameterArrays<typeof columns>['to'],
  { commitment, nodes, storeNumber, previous }: FittingCommitment,
): void {
  to.batch_id.next().uuid(commitment.batchId);
  to.store_number.next().int64(storeNumber);
  if (previous === null) {
    to.previous_end.nextNull();
    to.previous_committed_at.nextNull();
  } else {
    to.previous_end.next().int64(previous.sequenceEnd);
    to.previous_committed_at.next().timestamp(previous.committedAt);
  }
  to.sequence_start.next().int64(commitment.sequenceStart);
  to.sequence_end.next().int64(commitment.sequenceEnd);
  to.root.next().bytea(commitment.root);
  to.previous_state_root.next().bytea(commitment.previousStateRoot);
  to.state_root.next().bytea(commitment.stateRoot);
  if (commitment.signature === null) {
    to.sequencer_id.nextNull();
    to.sequencer_key_version.nextNull();
    to.sequencer_signature.nextNull();
  } else {
    to.sequencer_id.next().uuid(commitment.signature.sequencerId);
    to.sequencer_key_version.next().int64(commitment.signature.keyVersion);
    to.sequencer_signature.next().bytea(commitment.signature.signature);
  }
  to.nodes.next().bytea(nodes);
}
