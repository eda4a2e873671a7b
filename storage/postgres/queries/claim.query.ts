import type { Epoch, Head, Micros, StoreKey, TenantId } from '../../../domain/types.ts';
import type { Claim } from '../../event-log.ts';
import type { Query } from '../query.ts';

/** Each store once in a statement. */
export interface ClaimRequest {
  readonly store: StoreKey;
  readonly claimant: string;
}

export interface ClaimedStore extends Claim {
  /** A loss of its events is open (`LostHeads`), so nobody may have it. */
  readonly isRolledBack: boolean;
}

export interface ClaimNewParameters {
  readonly requests: readonly ClaimRequest[];
  /** 0 is no bound. */
  readonly storesPerTenantMax: number;
}

/**
 * One by one: sessions keep a statement prepared, and Postgres refuses one whose columns have changed, as those of `s.*` do
 * when a newer node adds a column.
 */
const claimColumns =
  's.tenant_id, s.store_id, s.store_number, s.epoch, s.legacy_head, s.ves_head, s.last_sequenced_at';

const isRolledBack = `
  exists (select from lost_heads l
           where l.tenant_id = s.tenant_id and l.store_id = s.store_id and l.accepted_at is null) as is_rolled_back`;

/**
 * Raises the epochs of the stores that have a row. Rows are locked in the order of their numbers, as every statement
 * that locks several of them does. Those of erased tenants are left out.
 */
export const claimExisting: Query<readonly ClaimRequest[], ClaimedStore> = {
  name: 'claim_existing',
  text: `
    with requests as (
      select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as r (tenant_id, store_id, claimant)),
    locked as (
      select s.store_number, s.claimant as previous_claimant, r.claimant from streams s join requests r using (tenant_id, store_id)
       where not s.erased
       order by s.store_number for update of s)
    update streams s set epoch = s.epoch + 1, claimant = locked.claimant, claimed_at = now()
      from locked where s.store_number = locked.store_number
    returning ${claimColumns}, locked.previous_claimant, ${isRolledBack}`,
  values: toValues,
  row: toClaim,
};

/**
 * Makes the rows that do not exist yet, as far as their tenants may have more; one that another claim has made meanwhile is
 * claimed from it. Stores are counted only here, so existing ones cost nothing. Statements of several nodes at once do not
 * see each other's rows: all of them together may make as many too many as one of them makes in all, and only once. A
 * trigger leaves out those of erased tenants (migrations/0008_payload_keys.sql).
 */
export const claimNew: Query<ClaimNewParameters, ClaimedStore> = {
  name: 'claim_new',
  text: `
    with requests as (
      select *, row_number() over (partition by tenant_id order by store_id) as place
        from unnest($1::uuid[], $2::uuid[], $3::text[]) as r (tenant_id, store_id, claimant)),
    tenants as (
      select tenant_id,
             case when $4::bigint > 0
                  then (select count(*) from streams s where s.tenant_id = r.tenant_id) end as stores
        from (select distinct tenant_id from requests) r)
    insert into streams as s (tenant_id, store_id, epoch, claimant)
    select tenant_id, store_id, 1, claimant
      from requests join tenants using (tenant_id)
     where $4::bigint = 0 or stores + place <= $4::bigint
     order by tenant_id, store_id
    on conflict (tenant_id, store_id)
    do update set epoch = s.epoch + 1, claimant = excluded.claimant, claimed_at = now()
    returning ${claimColumns}, ${isRolledBack}`,
  values: ({ requests, storesPerTenantMax }) => [...toValues(requests), storesPerTenantMax],
  row: toClaim,
};

/** Of these tenants those that were erased. */
export const findErasedTenants: Query<{ tenantIds: readonly TenantId[] }, TenantId> = {
  name: 'find_erased_tenants',
  text: 'select tenant_id from erased_tenants where tenant_id = any ($1::uuid[])',
  values: ({ tenantIds }) => [tenantIds],
  row: (columns) => columns.tenant_id as TenantId,
};

function toValues(requests: readonly ClaimRequest[]): unknown[] {
  return [
    requests.map(({ store }) => store.tenantId),
    requests.map(({ store }) => store.storeId),
    requests.map(({ claimant }) => claimant),
  ];
}

function toClaim(columns: Readonly<Record<string, unknown>>): ClaimedStore {
  return {
    tenantId: columns.tenant_id as StoreKey['tenantId'],
    storeId: columns.store_id as StoreKey['storeId'],
    storeNumber: columns.store_number as number,
    epoch: columns.epoch as Epoch,
    heads: { legacy: columns.legacy_head as Head, ves: columns.ves_head as Head },
    // Absent where another claim has made the row in this moment: then nobody is known to have had the store.
    previousClaimant: (columns.previous_claimant ?? null) as string | null,
    lastSequencedAt: columns.last_sequenced_at as Micros | null,
    isRolledBack: columns.is_rolled_back as boolean,
  };
}
