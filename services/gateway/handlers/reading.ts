import { denialOf, type Permission, type Principal } from '../../../domain/access.ts';
import { Refused } from '../../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { StoreKey } from '../../../domain/types.ts';
import type { Query } from '../query.ts';

/**
 * The store that a query names, once the caller is known to have this permission on it.
 * @throws Refused
 */
export function permittedStore(query: Query, principal: Principal, permission: Permission): StoreKey {
  const store = { tenantId: query.uuid('tenant_id'), storeId: query.uuid('store_id') };
  permit(principal, permission, store);
  return store;
}

/** @throws Refused when the caller does not have this permission on the store */
export function permit(principal: Principal, permission: Permission, store: StoreKey): void {
  const denial = denialOf(principal, permission, store);
  if (denial !== null) throw new Refused('INSUFFICIENT_PERMISSIONS', denial);
}

/** For what concerns no store in particular. @throws Refused unless the caller may read or is an administrator */
export function permitReadOrAdmin({ read, admin }: Principal): void {
  if (!read && !admin) {
    throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential has neither read nor admin permission');
  }
}

/** About what an event takes in memory until it is sent: its bytes as a row and again in the answer, and the rest. */
export function heldBytes({ payload, signature }: StoredLegacyEvent): number {
  return 2 * payload.length + signatureTextFactor * (signature?.length ?? 0) + eventOverheadBytes;
}

/** A byte as a row, and again as a number of up to three digits and a comma. */
const signatureTextFactor = 5;
const eventOverheadBytes = 1_024;
