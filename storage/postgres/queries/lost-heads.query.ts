import { toHex } from '../../../domain/bytes.ts';
import type { Epoch, Hash, Head, Sequence, StoreId, TenantId, World } from '../../../domain/types.ts';
import type { KnownHead } from '../../known-heads/known-head.ts';
import type { Loss, LossFilter, LostHead, OpenLosses } from '../../lost-heads.ts';
import type { Query } from '../query.ts';

/**
 * Of these heads those that the log contradicts. An accepted loss covers what was acknowledged in the same or an older
 * term: the terms of a store only grow, and a report of a loss begins a new one.
 */
export const compareKnownHeads: Query<readonly KnownHead[], LostHead> = {
  name: 'compare_known_heads',
  text: `
    with known as (
      select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
        as k (tenant_id, store_id, epoch, legacy_sequence, legacy_leaf, ves_sequence, ves_leaf))
    select k.tenant_id, k.store_id, k.epoch, w.world, w.sequence, decode(w.leaf, 'hex') as leaf_hash,
           exists (select from lost_heads l
                    where l.tenant_id = k.tenant_id and l.store_id = k.store_id and l.world = w.world
                      and l.accepted_at is not null and l.epoch >= k.epoch and l.sequence >= w.sequence) as is_accepted
      from known k
      left join streams s using (tenant_id, store_id)
      left join legacy_events l on l.store_number = s.store_number and l.sequence = k.legacy_sequence
      left join ves_events v on v.store_number = s.store_number and v.sequence = k.ves_sequence
     cross join lateral (values ('legacy', k.legacy_sequence, k.legacy_leaf, l.leaf_hash),
                                ('ves', k.ves_sequence, k.ves_leaf, v.leaf_hash)) as w (world, sequence, leaf, stored)
     where w.sequence is not null and w.stored is distinct from decode(w.leaf, 'hex')`,
  values: (known) => [
    known.map(({ tenantId }) => tenantId),
    known.map(({ storeId }) => storeId),
    known.map(({ epoch }) => epoch),
    known.map(({ legacy }) => legacy?.sequence ?? null),
    known.map(({ legacy }) => (legacy === null ? null : toHex(legacy.leafHash))),
    known.map(({ ves }) => ves?.sequence ?? null),
    known.map(({ ves }) => (ves === null ? null : toHex(ves.leafHash))),
  ],
  row: (columns) => ({
    tenantId: columns.tenant_id as TenantId,
    storeId: columns.store_id as StoreId,
    epoch: columns.epoch as Epoch,
    world: columns.world as World,
    sequence: columns.sequence as Sequence,
    leafHash: columns.leaf_hash as Hash,
    isAccepted: columns.is_accepted as boolean,
  }),
};

export interface LossReport {
  readonly lost: readonly LostHead[];
  readonly nodeId: string;
}

const lostRows = `
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
    as l (tenant_id, store_id, world, sequence, leaf, epoch)`;

/** Ends the terms of the owners, in the order in which every statement locks rows. */
export const fenceLostStores: Query<LossReport, never> = {
  name: 'fence_lost_stores',
  text: `
    with lost as (select tenant_id, store_id, max(epoch) as epoch from (${lostRows}) l group by 1, 2),
    locked as (
      select s.store_number, lost.epoch from streams s join lost using (tenant_id, store_id)
       order by s.store_number for update of s)
    update streams s set epoch = greatest(s.epoch, locked.epoch) + 1, claimant = $7, claimed_at = now()
      from locked where s.store_number = locked.store_number`,
  values: toReportValues,
  row: () => undefined as never,
};

/** A store that was lost altogether begins again beyond its old terms. */
export const insertLostStores: Query<LossReport, never> = {
  name: 'insert_lost_stores',
  text: `
    insert into streams (tenant_id, store_id, epoch, claimant)
    select tenant_id, store_id, max(epoch) + 1, $7 from (${lostRows}) l group by 1, 2 order by 1, 2
    on conflict (tenant_id, store_id) do nothing`,
  values: toReportValues,
  row: () => undefined as never,
};

/** After the two above: nothing is appended any more, so the heads stay what they are. */
export const insertLostHeads: Query<LossReport, never> = {
  name: 'insert_lost_heads',
  text: `
    insert into lost_heads (tenant_id, store_id, world, sequence, leaf_hash, epoch, durable_head, node_id)
    select l.tenant_id, l.store_id, l.world, l.sequence, decode(l.leaf, 'hex'), l.epoch,
           coalesce(case l.world when 'legacy' then s.legacy_head else s.ves_head end, 0), $7
      from (${lostRows}) l left join streams s using (tenant_id, store_id)
     order by 1, 2, 3, 4
    on conflict do nothing`,
  values: toReportValues,
  row: () => undefined as never,
};

function toReportValues({ lost, nodeId }: LossReport): unknown[] {
  return [
    lost.map(({ tenantId }) => tenantId),
    lost.map(({ storeId }) => storeId),
    lost.map(({ world }) => world),
    lost.map(({ sequence }) => sequence),
    lost.map(({ leafHash }) => toHex(leafHash)),
    lost.map(({ epoch }) => epoch),
    nodeId,
  ];
}

export const countOpenLosses: Query<null, number> = {
  name: 'count_open_losses',
  text: 'select count(distinct (tenant_id, store_id)) as stores from lost_heads where accepted_at is null',
  values: () => [],
  row: (columns) => columns.stores as number,
};

const isMeant = `accepted_at is null and ($1::uuid is null or tenant_id = $1) and ($2::uuid is null or store_id = $2)`;
const filterValues = ({ tenantId, storeId }: LossFilter): unknown[] => [tenantId, storeId];

/** How many stores, and what an operator gives back to say that these losses are meant and no others. */
export const summariseOpenLosses: Query<LossFilter, OpenLosses> = {
  name: 'summarise_open_losses',
  text: `
    select count(distinct (tenant_id, store_id)) as stores,
           coalesce(left(encode(sha256(string_agg(
             uuid_send(tenant_id) || uuid_send(store_id) || convert_to(world, 'UTF8') || int8send(sequence) || leaf_hash || int8send(epoch), ''::bytea
             order by tenant_id, store_id, world, sequence, leaf_hash, epoch)), 'hex'), 16), '') as token
      from lost_heads where ${isMeant}`,
  values: filterValues,
  row: (columns) => ({ stores: columns.stores as number, token: columns.token as string }),
};

export interface LossPage extends LossFilter {
  /** The last stream of the page before; null for the first. */
  readonly after: Pick<Loss, 'tenantId' | 'storeId' | 'world'> | null;
  readonly limit: number;
}

/** Stream by stream. */
export const listOpenLosses: Query<LossPage, Loss> = {
  name: 'list_open_losses',
  text: `
    select tenant_id, store_id, world, max(durable_head) as durable_head,
           min(case when sequence > durable_head then durable_head + 1 else sequence end) as first_lost,
           max(sequence) as last_lost, bool_or(sequence <= durable_head) as is_forked,
           array_agg(distinct node_id order by node_id) as node_ids
      from lost_heads
     where ${isMeant} and ($3::uuid is null or (tenant_id, store_id, world) > ($3::uuid, $4::uuid, $5::text collate "C"))
     group by 1, 2, 3 order by 1, 2, 3 limit $6`,
  values: ({ after, limit, ...filter }) => [
    ...filterValues(filter),
    after?.tenantId ?? null,
    after?.storeId ?? null,
    after?.world ?? null,
    limit,
  ],
  row: (columns) => ({
    tenantId: columns.tenant_id as TenantId,
    storeId: columns.store_id as StoreId,
    world: columns.world as World,
    durableHead: columns.durable_head as Head,
    from: columns.first_lost as number,
    to: columns.last_lost as number,
    isForked: columns.is_forked as boolean,
    nodeIds: columns.node_ids as string[],
  }),
};

/** Keeps reports away until the end of the transaction, so that what was shown is what is accepted. */
export const lockLosses: Query<null, never> = {
  name: 'lock_losses',
  text: 'lock table lost_heads in share row exclusive mode',
  values: () => [],
  row: () => undefined as never,
};

export const acceptLosses: Query<LossFilter & { readonly acceptedBy: string }, never> = {
  name: 'accept_losses',
  text: `update lost_heads set accepted_at = now(), accepted_by = $3 where ${isMeant}`,
  values: ({ acceptedBy, ...filter }) => [...filterValues(filter), acceptedBy],
  row: () => undefined as never,
};
