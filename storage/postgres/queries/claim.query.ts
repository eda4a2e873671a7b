import type { Epoch, Head, Micros, StoreKey } from '../../../domain/types.ts';
import type { Claim } from '../../event-log.ts';
import type { Query } from '../query.ts';

export interface ClaimParameters {
  /** Each store once. */
  readonly requests: readonly { readonly store: StoreKey; readonly claimant: string }[];
}

/**
 * Raises the epochs of the stores that have a row. Rows are locked in the order of their numbers, as every statement
 * that locks several of them does.
 */
export const claimExisting: Query<ClaimParameters, Claim> = {
  name: 'claim_existing',
  text: `
    with requests as (
      select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as r (tenant_id, store_id, claimant)),
    locked as (
      select s.store_number, r.claimant from streams s join requests r using (tenant_id, store_id)
       order by s.store_number for update of s)
    update streams s set epoch = s.epoch + 1, claimant = locked.claimant, claimed_at = now()
      from locked where s.store_number = locked.store_number
    returning s.*`,
  values: toValues,
  row: toClaim,
};

/** Makes the rows that do not exist yet; one that another claim has made meanwhile is claimed from it. */
export const claimNew: Query<ClaimParameters, Claim> = {
  name: 'claim_new',
  text: `
    insert into streams as s (tenant_id, store_id, epoch, claimant)
    select tenant_id, store_id, 1, claimant
      from unnest($1::uuid[], $2::uuid[], $3::text[]) as r (tenant_id, store_id, claimant)
     order by tenant_id, store_id
    on conflict (tenant_id, store_id)
    do update set epoch = s.epoch + 1, claimant = excluded.claimant, claimed_at = now()
    returning s.*`,
  values: toValues,
  row: toClaim,
};

function toValues({ requests }: ClaimParameters): unknown[] {
  return [
    requests.map(({ store }) => store.tenantId),
    requests.map(({ store }) => store.storeId),
    requests.map(({ claimant }) => claimant),
  ];
}

function toClaim(columns: Readonly<Record<string, unknown>>): Claim {
  return {
    tenantId: columns.tenant_id as StoreKey['tenantId'],
    storeId: columns.store_id as StoreKey['storeId'],
    storeNumber: columns.store_number as number,
    epoch: columns.epoch as Epoch,
    heads: { legacy: columns.legacy_head as Head, ves: columns.ves_head as Head },
    lastSequencedAt: columns.last_sequenced_at as Micros | null,
  };
}
