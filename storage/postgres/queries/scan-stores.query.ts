import type { Head, Sequence, StoreId, StoreKey, TenantId } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/** A store with both heads, and the last sequences that there really are; all at one moment. */
export interface ScannedStore extends StoreKey {
  readonly storeNumber: number;
  readonly legacy: ScannedHead;
  readonly ves: ScannedHead;
}

export interface ScannedHead {
  /** What the fence row says. */
  readonly head: Head;
  /** Null when there are no events. */
  readonly firstSequence: Sequence | null;
  readonly lastSequence: Sequence | null;
  /** What the row of the stream's chain of commitments says; 0 without one. */
  readonly chainEnd: number;
  /** Where the last commitment ends; 0 without one. */
  readonly committedTo: number;
}

/** All stores, or those of a tenant, or one. */
export const scanStores: Query<{ tenantId: TenantId | null; storeId: StoreId | null }, ScannedStore> = {
  name: 'scan_stores',
  text: `
    select s.store_number, s.tenant_id, s.store_id, s.legacy_head, s.ves_head,
           (select min(sequence) from legacy_events e where e.store_number = s.store_number) as legacy_first,
           (select max(sequence) from legacy_events e where e.store_number = s.store_number) as legacy_last,
           (select min(sequence) from ves_events e where e.store_number = s.store_number) as ves_first,
           (select max(sequence) from ves_events e where e.store_number = s.store_number) as ves_last,
           ${chainColumns('legacy')}, ${chainColumns('ves')}
      from streams s
     where ($1::uuid is null or s.tenant_id = $1) and ($2::uuid is null or s.store_id = $2)
     order by s.tenant_id, s.store_id`,
  values: ({ tenantId, storeId }) => [tenantId, storeId],
  row: (columns) => ({
    storeNumber: columns.store_number as number,
    tenantId: columns.tenant_id as TenantId,
    storeId: columns.store_id as StoreId,
    legacy: headOf(columns, 'legacy'),
    ves: headOf(columns, 'ves'),
  }),
};

/** Store numbers of events and commitments that no store has; found by skipping from number to number. */
export const scanOrphans: Query<null, { readonly table: string; readonly storeNumber: number }> = {
  name: 'scan_orphans',
  text: ['legacy_events', 'ves_events', 'commitments'].map(orphansIn).join(' union all '),
  values: () => [],
  row: (columns) => ({
    table: columns.table_name as string,
    storeNumber: columns.store_number as number,
  }),
};

function chainColumns(world: 'legacy' | 'ves'): string {
  const ofWorld = `where store_number = s.store_number and world = '${world}'`;
  return `coalesce((select sequence_end from commitment_chains ${ofWorld}), 0) as ${world}_chain_end,
           coalesce((select max(sequence_end) from commitments ${ofWorld}), 0) as ${world}_committed_to`;
}

function headOf(columns: Readonly<Record<string, unknown>>, world: 'legacy' | 'ves'): ScannedHead {
  return {
    head: columns[`${world}_head`] as Head,
    firstSequence: columns[`${world}_first`] as Sequence | null,
    lastSequence: columns[`${world}_last`] as Sequence | null,
    chainEnd: columns[`${world}_chain_end`] as number,
    committedTo: columns[`${world}_committed_to`] as number,
  };
}

function orphansIn(table: string): string {
  return `
    (with recursive numbers as (
       (select min(store_number) as store_number from ${table})
       union all
       select (select min(e.store_number) from ${table} e where e.store_number > n.store_number)
         from numbers n where n.store_number is not null)
     select '${table}' as table_name, n.store_number
       from numbers n
      where n.store_number is not null and not exists (select from streams s where s.store_number = n.store_number))`;
}
