import type { Query } from '../query.ts';
import type { KeyUse } from './insert-sequencer-key.query.ts';

/** One row if the key is known. */
export const touchSequencerKey: Query<KeyUse, number> = {
  name: 'touch_sequencer_key',
  text: `
    update sequencer_keys set node_id = $2, last_used_at = greatest(last_used_at, now())
     where public_key = $1
    returning key_version`,
  values: ({ publicKey, nodeId }) => [publicKey, nodeId],
  row: (columns) => columns.key_version as number,
};
