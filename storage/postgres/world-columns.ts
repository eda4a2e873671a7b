import type { World } from '../../domain/types.ts';

/** What the tables of the two worlds call alike things; for statements that serve both. */
export interface WorldColumns {
  readonly events: string;
  /** Of the row in `streams`. */
  readonly head: string;
  /**
   * A leaf worked out by Postgres (ves-format 7 and 8.2) from the columns of an event `e`, with the store's ids as bytes
   * before: a second implementation, so that a fault in ours or in a stored leaf shows.
   */
  readonly leafOf: (storeIds: string) => string;
}

export const worldColumns: Readonly<Record<World, WorldColumns>> = {
  legacy: {
    events: 'legacy_events',
    head: 'legacy_head',
    leafOf: (storeIds) => `sha256('STATESET_COMMITMENT_LEAF_V1'::bytea || ${storeIds} || int8send(e.sequence)
      || e.payload_hash
      || int4send(octet_length(e.entity_type)) || convert_to(e.entity_type, 'UTF8')
      || int4send(octet_length(e.entity_id)) || convert_to(e.entity_id, 'UTF8'))`,
  },
  ves: {
    events: 'ves_events',
    head: 'ves_head',
    leafOf: (storeIds) => `sha256('VES_LEAF_V1'::bytea || ${storeIds} || int8send(e.sequence)
      || e.signing_hash || e.agent_signature)`,
  },
};
