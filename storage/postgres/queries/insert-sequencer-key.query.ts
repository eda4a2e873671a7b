import type { Query } from '../query.ts';

export interface KeyUse {
  readonly publicKey: Uint8Array;
  readonly nodeId: string;
}

/** The version of the key, which another node may have inserted just now. */
export const insertSequencerKey: Query<KeyUse, number> = {
  name: 'insert_sequencer_key',
  text: `
    insert into sequencer_keys (public_key, node_id) values ($1, $2)
    on conflict (public_key) do update set last_used_at = greatest(sequencer_keys.last_used_at, now())
    returning key_version`,
  values: ({ publicKey, nodeId }) => [publicKey, nodeId],
  row: (columns) => columns.key_version as number,
};
