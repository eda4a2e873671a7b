import type { Micros } from '../../../domain/types.ts';
import type { SequencerKey } from '../../sequencer-keys.ts';
import type { Query } from '../query.ts';

export const listSequencerKeys: Query<null, SequencerKey> = {
  name: 'list_sequencer_keys',
  text: `select key_version, public_key, node_id, first_used_at, last_used_at from sequencer_keys order by key_version`,
  values: () => [],
  row: (columns) => ({
    keyVersion: columns.key_version as number,
    publicKey: columns.public_key as Uint8Array,
    nodeId: columns.node_id as string,
    firstUsedAt: columns.first_used_at as Micros,
    lastUsedAt: columns.last_used_at as Micros,
  }),
};
