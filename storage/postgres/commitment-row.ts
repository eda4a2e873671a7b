import type { StoredCommitment } from '../commitment-log.ts';

/** The columns of a commitment, for queries in which `s` is its store's row and `c` the commitment's. */
export const commitmentColumns = `
  s.tenant_id, s.store_id, c.world, c.batch_id, c.sequence_start, c.sequence_end, c.root, c.previous_state_root,
  c.state_root, c.committed_at, c.sequencer_id, c.sequencer_key_version, c.sequencer_signature, c.chain_tx_hash,
  c.chain_id, c.chain_block_number, c.anchored_at`;

/** The types are those of the columns in migrations/0004_commitments.sql, as row-types.ts reads them. */
export function toCommitment(columns: Readonly<Record<string, unknown>>): StoredCommitment {
  const {
    sequence_start: start,
    sequence_end: end,
    sequencer_signature: signature,
    chain_tx_hash: txHash,
  } = columns;
  return {
    tenantId: columns.tenant_id,
    storeId: columns.store_id,
    world: columns.world,
    batchId: columns.batch_id,
    sequenceStart: start,
    sequenceEnd: end,
    leafCount: (end as number) - (start as number) + 1,
    root: columns.root,
    previousStateRoot: columns.previous_state_root,
    stateRoot: columns.state_root,
    committedAt: columns.committed_at,
    signature:
      signature === null
        ? null
        : { sequencerId: columns.sequencer_id, keyVersion: columns.sequencer_key_version, signature },
    anchor:
      txHash === null
        ? null
        : {
            txHash,
            chainId: columns.chain_id,
            blockNumber: columns.chain_block_number,
            anchoredAt: columns.anchored_at,
          },
  } as StoredCommitment;
}
