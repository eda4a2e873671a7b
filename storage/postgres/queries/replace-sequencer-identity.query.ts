import type { Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const replaceSequencerIdentity: Query<Uuid, unknown> = {
  name: 'replace_sequencer_identity',
  text: `
    insert into sequencer_identity (sequencer_id) values ($1)
    on conflict (only_row) do update set sequencer_id = excluded.sequencer_id`,
  values: (sequencerId) => [sequencerId],
  row: (columns) => columns,
};
