import type { Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const makeSequencerIdentity: Query<Uuid, unknown> = {
  name: 'make_sequencer_identity',
  text: `insert into sequencer_identity (sequencer_id) values ($1) on conflict do nothing`,
  values: (sequencerId) => [sequencerId],
  row: (columns) => columns,
};
