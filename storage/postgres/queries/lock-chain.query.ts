import type { Head, StreamKey, World } from '../../../domain/types.ts';
import type { Query } from '../query.ts';
import { worldColumns } from '../world-columns.ts';

export interface LockedChain {
  readonly storeNumber: number;
  /** Of the last commitment; 0 when there is none. */
  readonly sequenceEnd: number;
  readonly head: Head;
}

/**
 * The first statement of every transaction that makes a commitment, which runs on one snapshot (repeatable read): it waits
 * for others of the stream, and fails with `serialization_failure` when one of them made a commitment after the snapshot.
 * No row when the chain has none yet, or it is locked and not to be waited for.
 */
export const lockChain: Readonly<Record<World, Record<'wait' | 'skip', Query<StreamKey, LockedChain>>>> = {
  legacy: { wait: lock('legacy', 'wait'), skip: lock('legacy', 'skip') },
  ves: { wait: lock('ves', 'wait'), skip: lock('ves', 'skip') },
};

function lock(world: World, whenBusy: 'wait' | 'skip'): Query<StreamKey, LockedChain> {
  return {
    name: `lock_${world}_chain_${whenBusy}`,
    text: `
      select s.store_number, c.sequence_end, s.${worldColumns[world].head} as head
        from streams s join commitment_chains c on c.store_number = s.store_number and c.world = '${world}'
       where s.tenant_id = $1 and s.store_id = $2
         for update of c ${whenBusy === 'skip' ? 'skip locked' : ''}`,
    values: ({ tenantId, storeId }) => [tenantId, storeId],
    row: (columns) => ({
      storeNumber: columns.store_number as number,
      sequenceEnd: columns.sequence_end as number,
      head: columns.head as Head,
    }),
  };
}

/** Lets `lockChain` begin: it needs a row to lock. Says whether the store exists, and whether the row is new. */
export const startChain: Query<StreamKey, { readonly storeExists: boolean; readonly isNew: boolean }> = {
  name: 'start_chain',
  text: `
    with store as (select store_number from streams where tenant_id = $1 and store_id = $2),
    made as (
      insert into commitment_chains (store_number, world) select store_number, $3 from store
      on conflict (store_number, world) do nothing returning store_number)
    select exists (select from store) as store_exists, exists (select from made) as is_new`,
  values: ({ tenantId, storeId, world }) => [tenantId, storeId, world],
  row: (columns) => ({ storeExists: columns.store_exists as boolean, isNew: columns.is_new as boolean }),
};
