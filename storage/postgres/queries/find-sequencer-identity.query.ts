import type { Uuid } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

export const findSequencerIdentity: Query<null, Uuid> = {
  name: 'find_sequencer_identity',
  text: `select sequencer_id from sequencer_identity`,
  values: () => [],
  row: (columns) => columns.sequencer_id as Uuid,
};
