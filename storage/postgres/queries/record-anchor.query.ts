import type { Hash, Uuid, World } from '../../../domain/types.ts';
import type { Anchor } from '../../commitment-log.ts';
import type { Query } from '../query.ts';

export interface AnchorRow extends Omit<Anchor, 'anchoredAt'> {
  readonly world: World;
  readonly batchId: Uuid;
}

/** Takes effect once: the row is locked by the update, and whoever comes second finds the condition broken. */
export const recordAnchor: Query<AnchorRow, Uuid> = {
  name: 'record_anchor',
  text: `
    update commitments
       set chain_tx_hash = $3, chain_id = $4, chain_block_number = $5, anchored_at = clock_timestamp()
     where batch_id = $1 and world = $2 and chain_tx_hash is null
    returning batch_id`,
  values: ({ batchId, world, txHash, chainId, blockNumber }) => [
    batchId,
    world,
    txHash,
    chainId,
    blockNumber,
  ],
  row: (columns) => columns.batch_id as Uuid,
};

export const anchorHash: Query<{ readonly world: World; readonly batchId: Uuid }, Hash | null> = {
  name: 'anchor_hash',
  text: `select chain_tx_hash from commitments where batch_id = $1 and world = $2`,
  values: ({ batchId, world }) => [batchId, world],
  row: (columns) => columns.chain_tx_hash as Hash | null,
};
