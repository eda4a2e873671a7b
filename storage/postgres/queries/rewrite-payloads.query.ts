import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { Sequence, World } from '../../../domain/types.ts';
import type { StoredVesEvent } from '../../../domain/ves/event.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import { legacyEventColumns, toLegacyRow } from '../legacy-event-row.ts';
import type { Query } from '../query.ts';
import { toVesRow, vesEventColumns } from '../ves-event-row.ts';
import { worldColumns } from '../world-columns.ts';

export interface StaleRange {
  readonly storeNumber: number;
  readonly from: Sequence;
  readonly to: Sequence;
  /** The key that payloads should be sealed with. */
  readonly keyNumber: number;
  readonly limit: number;
}

/** The first events of a range whose payloads are sealed with another key, or with none. */
export const findStaleLegacy: Query<StaleRange, EventRow<StoredLegacyEvent>> = {
  name: 'find_stale_legacy',
  text: staleText('legacy', legacyEventColumns),
  values: staleValues,
  row: toLegacyRow,
};

export const findStaleVes: Query<StaleRange, EventRow<StoredVesEvent>> = {
  name: 'find_stale_ves',
  text: staleText('ves', vesEventColumns),
  values: staleValues,
  row: toVesRow,
};

export interface RewrittenPayloads {
  readonly storeNumber: number;
  readonly keyNumber: number;
  readonly rows: readonly {
    readonly sequence: Sequence;
    /** The key that the row named when it was read; null when none. */
    readonly keyNumberBefore: number | null;
    readonly payload: Uint8Array;
  }[];
}

/**
 * Puts payloads that are sealed anew in the place of what was read, unless someone else did so meanwhile. Of a row it changes
 * these two columns only, and it locks nothing that an append needs. Returns the sequences.
 */
export const rewritePayloads: Readonly<Record<World, Query<RewrittenPayloads, Sequence>>> = {
  legacy: rewriteIn('legacy'),
  ves: rewriteIn('ves'),
};

function staleText(world: World, columns: string): string {
  return `
    select ${columns}
      from streams s join ${worldColumns[world].events} e using (store_number)
     where s.store_number = $1 and e.sequence between $2 and $3
       and e.encryption_key_number is distinct from $4::smallint
     order by e.sequence limit $5`;
}

function staleValues({ storeNumber, from, to, keyNumber, limit }: StaleRange): unknown[] {
  return [storeNumber, from, to, keyNumber, limit];
}

function rewriteIn(world: World): Query<RewrittenPayloads, Sequence> {
  return {
    name: `rewrite_${world}_payloads`,
    text: `
    update ${worldColumns[world].events} e
       set payload = r.payload, encryption_key_number = $2::smallint
      from unnest($3::bigint[], $4::smallint[], $5::bytea[]) as r (sequence, key_number_before, payload)
     where e.store_number = $1 and e.sequence = r.sequence
       and e.encryption_key_number is not distinct from r.key_number_before
    returning e.sequence`,
    values: ({ storeNumber, keyNumber, rows }) => [
      storeNumber,
      keyNumber,
      rows.map(({ sequence }) => sequence),
      rows.map(({ keyNumberBefore }) => keyNumberBefore),
      rows.map(({ payload }) => payload),
    ],
    row: (columns) => columns.sequence as Sequence,
  };
}
