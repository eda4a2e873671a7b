import type { TenantId } from '../../../domain/types.ts';
import type { WrappedKey } from '../../payloads/master-keys.ts';
import type { Query } from '../query.ts';

/** The keys of a tenant, the newest first, or the one of a number; and whether the tenant was erased. One row at least. */
export const findPayloadKeys: Query<
  { tenantId: TenantId; keyNumber: number | null },
  { readonly isErased: boolean; readonly key: WrappedKey | null }
> = {
  name: 'find_payload_keys',
  text: `
    select t.tenant_id, k.key_number, k.master_fingerprint, k.wrapped_key,
           exists (select from erased_tenants e where e.tenant_id = t.tenant_id) as is_erased
      from (select $1::uuid as tenant_id) as t
      left join payload_keys k on k.tenant_id = t.tenant_id and ($2::integer is null or k.key_number = $2)
     order by k.key_number desc`,
  values: ({ tenantId, keyNumber }) => [tenantId, keyNumber],
  row: (columns) => ({
    isErased: columns.is_erased as boolean,
    key: columns.key_number === null ? null : toWrappedKey(columns),
  }),
};

/** Adds a key, unless there is one of this number by now or the tenant was erased. Returns whether it did. */
export const insertPayloadKey: Query<WrappedKey, number> = {
  name: 'insert_payload_key',
  text: `
    insert into payload_keys (tenant_id, key_number, master_fingerprint, wrapped_key)
    values ($1, $2, $3, $4) on conflict do nothing returning key_number`,
  values: ({ tenantId, keyNumber, masterFingerprint, wrapped }) => [
    tenantId,
    keyNumber,
    masterFingerprint,
    wrapped,
  ],
  row: (columns) => columns.key_number as number,
};

/** The keys of all tenants, or of one, in order. */
export const listPayloadKeys: Query<{ tenantId: TenantId | null }, WrappedKey> = {
  name: 'list_payload_keys',
  text: `
    select tenant_id, key_number, master_fingerprint, wrapped_key from payload_keys
     where $1::uuid is null or tenant_id = $1
     order by tenant_id, key_number`,
  values: ({ tenantId }) => [tenantId],
  row: toWrappedKey,
};

/** Puts a key that is wrapped anew in the place of what was read, unless that has changed since. */
export const rewrapPayloadKey: Query<WrappedKey & { readonly before: Uint8Array }, number> = {
  name: 'rewrap_payload_key',
  text: `
    update payload_keys set master_fingerprint = $3, wrapped_key = $4
     where tenant_id = $1 and key_number = $2 and wrapped_key = $5
    returning key_number`,
  values: ({ tenantId, keyNumber, masterFingerprint, wrapped, before }) => [
    tenantId,
    keyNumber,
    masterFingerprint,
    wrapped,
    before,
  ],
  row: (columns) => columns.key_number as number,
};

export const payloadKeyRevision: Query<null, number> = {
  name: 'payload_key_revision',
  text: `select revision from revisions where name = 'payload_keys'`,
  values: () => [],
  row: (columns) => columns.revision as number,
};

function toWrappedKey(columns: Readonly<Record<string, unknown>>): WrappedKey {
  return {
    tenantId: columns.tenant_id as TenantId,
    keyNumber: columns.key_number as number,
    masterFingerprint: columns.master_fingerprint as Uint8Array,
    wrapped: columns.wrapped_key as Uint8Array,
  };
}
