import { denialOf, type Permission, type Principal } from '../../../domain/access.ts';
import { Refused } from '../../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { StoreKey, Uuid } from '../../../domain/types.ts';
import { parseUuid } from '../../../domain/uuid.ts';
import { type Query, u32Max } from '../query.ts';
import type { RouteRequest } from '../route.ts';

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

/** A part of the path that must be a UUID. @throws Refused */
export function pathUuid(request: RouteRequest, name: string): Uuid {
  const uuid = parseUuid(request.pathParameter(name));
  if (uuid === null) throw new Refused('INVALID_QUERY', `the path parameter ${name} is no UUID`);
  return uuid;
}

/** A part of the path that must be an integer below 2^32. @throws Refused */
export function pathU32(request: RouteRequest, name: string): number {
  const text = request.pathParameter(name);
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Infinity;
  if (value <= u32Max) return value;
  throw new Refused('INVALID_QUERY', `the path parameter ${name} is no integer from 0 to 2^32 - 1`);
}

export const apiKeyPageMax = 1_000;

/**
 * The page of a list of API keys: `limit`, which above 1,000 counts as that, and `after`, the hash prefix of the last key
 * of the page before.
 * @throws Refused
 */
export function apiKeyPage(query: Query): { readonly afterPrefix: string | null; readonly limit: number } {
  const limit = query.u32('limit', apiKeyPageMax);
  if (limit === 0)
    throw new Refused('INVALID_QUERY', 'the query parameter limit is "0"; accepted is an integer from 1');
  const after = query.optionalText('after', 64)?.toLowerCase() ?? null;
  if (after !== null && !/^[0-9a-f]{1,64}$/.test(after)) {
    throw new Refused(
      'INVALID_QUERY',
      'the query parameter after is no hash prefix: it takes 1 to 64 hex digits',
    );
  }
  return { afterPrefix: after, limit: Math.min(limit, apiKeyPageMax) };
}

/** About what an event takes in memory until it is sent: its bytes as a row and again in the answer, and the rest. */
export function heldBytes({ payload, signature }: StoredLegacyEvent): number {
  return 2 * (payload?.length ?? 0) + signatureTextFactor * (signature?.length ?? 0) + eventOverheadBytes;
}

/** A byte as a row, and again as a number of up to three digits and a comma. */
const signatureTextFactor = 5;
const eventOverheadBytes = 1_024;
