import type { Head, Hash, Micros, Sequence, StoreKey } from '../../../domain/types.ts';
import { ParameterArrays, type ElementType } from '../parameter-arrays.ts';
import type { Query } from '../query.ts';
import { worldColumns } from '../world-columns.ts';

/** A stream of the VES world, and the range of it that is to be committed. */
export interface WantedLeaves {
  readonly store: StoreKey;
  readonly start: Sequence;
  readonly end: Sequence;
}

export interface ChainView {
  /** The place of the stream among those asked for, from 0. */
  readonly place: number;
  readonly storeNumber: number;
  readonly head: Head;
  /** Where the chain ends; 0 before its first commitment. */
  readonly sequenceEnd: Sequence | 0;
  /** Of the last commitment. Null when there is none. */
  readonly stateRoot: Hash | null;
  readonly committedAt: Micros | null;
  /** As they are stored, up to the head; 32 bytes each. */
  readonly leaves: Uint8Array;
  /** The same, as Postgres works them out from their events. */
  readonly leavesAgain: Uint8Array;
}

const columns = {
  tenant_id: 'uuid',
  store_id: 'uuid',
  sequence_start: 'int64',
  sequence_end: 'int64',
} as const satisfies Record<string, ElementType>;

const { events, head, leafOf } = worldColumns.ves;
const joined = (leaf: string): string => `coalesce(string_agg(${leaf}, ''::bytea order by e.sequence), '')`;

/**
 * What short commitments are made from, each of another stream: where its chain ends, and the leaves, all as they were at
 * one instant. Streams that have no row for their chain yet are left out.
 *
 * Each look-up has a limit of its own, which keeps it one: a plan made on empty tables would join the tables first, as if
 * they stayed empty.
 */
export const readChains: Query<readonly WantedLeaves[], ChainView> = {
  name: 'read_chains',
  keepsPlan: true,
  text: `
    select w.place, s.store_number, s.${head} as head, c.sequence_end, l.state_root, l.committed_at, r.leaves, r.again
      from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
           with ordinality as w (tenant_id, store_id, sequence_start, sequence_end, place)
     cross join lateral (
           select store_number, ${head} from streams
            where tenant_id = w.tenant_id and store_id = w.store_id limit 1) as s
     cross join lateral (
           select sequence_end from commitment_chains
            where store_number = s.store_number and world = 'ves' limit 1) as c
      left join lateral (
           select sequence_end, state_root, committed_at from commitments
            where store_number = s.store_number and world = 'ves' order by sequence_start desc limit 1) as l
        on l.sequence_end = c.sequence_end
     cross join lateral (
           select ${joined('e.leaf_hash')} as leaves,
                  ${joined(leafOf('uuid_send(w.tenant_id) || uuid_send(w.store_id)'))} as again
             from ${events} e
            where e.store_number = s.store_number
              and e.sequence between w.sequence_start and least(w.sequence_end, s.${head})) as r`,
  values(wanted) {
    const arrays = new ParameterArrays(columns);
    for (const { store, start, end } of wanted) {
      arrays.to.tenant_id.next().uuid(store.tenantId);
      arrays.to.store_id.next().uuid(store.storeId);
      arrays.to.sequence_start.next().int64(start);
      arrays.to.sequence_end.next().int64(end);
    }
    return arrays.finish();
  },
  row: (row) => ({
    place: (row.place as number) - 1,
    storeNumber: row.store_number as number,
    head: row.head as Head,
    sequenceEnd: row.sequence_end as Sequence | 0,
    stateRoot: row.state_root as Hash | null,
    committedAt: row.committed_at as Micros | null,
    leaves: row.leaves as Uint8Array,
    leavesAgain: row.again as Uint8Array,
  }),
};
