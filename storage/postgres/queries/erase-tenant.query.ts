import type { Micros, TenantId } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/** What there is of a tenant, and what its erasure would take. */
export interface TenantHoldings {
  readonly stores: number;
  readonly legacyEvents: number;
  readonly vesEvents: number;
  readonly keys: number;
  /** Null unless it was erased before. */
  readonly erasedAt: Micros | null;
}

export const findHoldings: Query<{ tenantId: TenantId }, TenantHoldings> = {
  name: 'find_holdings',
  text: `
    select count(*) as stores, coalesce(sum(s.legacy_head), 0)::bigint as legacy_events,
           coalesce(sum(s.ves_head), 0)::bigint as ves_events,
           (select count(*) from payload_keys k where k.tenant_id = $1) as keys,
           (select e.erased_at from erased_tenants e where e.tenant_id = $1) as erased_at
      from streams s where s.tenant_id = $1`,
  values: ({ tenantId }) => [tenantId],
  row: (columns) => ({
    stores: columns.stores as number,
    legacyEvents: columns.legacy_events as number,
    vesEvents: columns.ves_events as number,
    keys: columns.keys as number,
    erasedAt: columns.erased_at as Micros | null,
  }),
};

/** How many payloads of a tenant no key would make unreadable. Reads every row of the tenant. */
export const countPlainPayloads: Query<{ tenantId: TenantId }, number> = {
  name: 'count_plain_payloads',
  text: `
    select (${plainIn('legacy_events')}) + (${plainIn('ves_events')}) as plain`,
  values: ({ tenantId }) => [tenantId],
  row: (columns) => columns.plain as number,
};

export const requestErasure: Query<{ tenantId: TenantId; tokenHash: Uint8Array; validSecs: number }, Micros> =
  {
    name: 'request_erasure',
    text: `
    insert into erasure_requests (tenant_id, token_hash, expires_at)
    values ($1, $2, now() + make_interval(secs => $3))
    on conflict (tenant_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at
    returning expires_at`,
    values: ({ tenantId, tokenHash, validSecs }) => [tenantId, tokenHash, validSecs],
    row: (columns) => columns.expires_at as Micros,
  };

/** Waits for those that make a store or a key of this tenant, and keeps new ones waiting until the transaction ends. */
export const lockTenant: Query<{ tenantId: TenantId }, null> = {
  name: 'lock_tenant',
  text: 'select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 8))',
  values: ({ tenantId }) => [tenantId],
  row: () => null,
};

/** Uses up the token. Returns a row when it was the right one and its time was not up. */
export const takeErasureRequest: Query<{ tenantId: TenantId; tokenHash: Uint8Array }, null> = {
  name: 'take_erasure_request',
  text: `
    delete from erasure_requests where tenant_id = $1 and token_hash = $2 and expires_at > now() returning tenant_id`,
  values: ({ tenantId, tokenHash }) => [tenantId, tokenHash],
  row: () => null,
};

/** First steps whose time is up, and which no second step followed. */
export const deleteExpiredErasureRequests: Query<{ rowsMax: number }, null> = {
  name: 'delete_expired_erasure_requests',
  text: `
    delete from erasure_requests
     where tenant_id in (select tenant_id from erasure_requests where expires_at < now() limit $1) and expires_at < now()
    returning null`,
  values: ({ rowsMax }) => [rowsMax],
  row: () => null,
};

/** Takes the stores from their owners: the next append of each is fenced, and nobody claims them again. */
export const closeStores: Query<{ tenantId: TenantId }, null> = {
  name: 'close_stores',
  text: `
    with locked as (
      select store_number from streams where tenant_id = $1 order by store_number for update)
    update streams s set erased = true, epoch = s.epoch + 1, claimant = 'nobody: the tenant was erased'
      from locked where s.store_number = locked.store_number
    returning s.store_number`,
  values: ({ tenantId }) => [tenantId],
  row: () => null,
};

/** Returns how many keys there were. */
export const destroyKeys: Query<{ tenantId: TenantId }, number> = {
  name: 'destroy_keys',
  text: `
    with destroyed as (delete from payload_keys where tenant_id = $1 returning key_number)
    insert into erased_tenants (tenant_id, keys_destroyed) select $1, count(*) from destroyed
    returning keys_destroyed`,
  values: ({ tenantId }) => [tenantId],
  row: (columns) => columns.keys_destroyed as number,
};

function plainIn(table: string): string {
  return `
    select count(*) from ${table} e join streams s using (store_number)
     where s.tenant_id = $1 and e.encryption_key_number is null`;
}
