import type { Principal } from './access.ts';
import { Refused } from './errors.ts';
import type { AgentId, StoreId, TenantId } from './types.ts';

/** What someone wants a new API key to be good for; null where they leave it to the rules. */
export interface WantedKey {
  /** Empty means all stores of the tenant. */
  readonly storeIds: readonly StoreId[] | null;
  readonly readOnly: boolean | null;
  readonly admin: boolean | null;
  readonly requestsPerMinuteMax: number | null;
}

/** Whom the new key speaks for. */
export interface KeyHolder {
  readonly tenantId: TenantId;
  readonly agentId: AgentId | null;
}

/** The flags of a key in one word, as the API tells them. */
export type Permissions = 'admin' | 'read_write' | 'read';

export function permissionsOf({ admin, write }: Pick<Principal, 'admin' | 'write'>): Permissions {
  if (admin) return 'admin';
  return write ? 'read_write' : 'read';
}

/**
 * What an administrator gives: any permission, by default read and write, and any limit, by default none. An administrator
 * who is limited to some stores can give no more than those.
 * @throws Refused
 */
export function grantByAdmin(admin: Principal, wanted: WantedKey, holder: KeyHolder): Principal {
  if (wanted.admin === true && wanted.readOnly === true) {
    throw new Refused('INVALID_FIELD_VALUE', 'admin and readOnly are both true; a key is one or the other');
  }
  return {
    ...holder,
    storeIds: storesWithin(admin.storeIds, wanted.storeIds),
    read: true,
    write: wanted.readOnly !== true,
    admin: wanted.admin === true,
    requestsPerMinuteMax: wanted.requestsPerMinuteMax,
  };
}

/**
 * What an agent gives itself: never more than it has, and by default exactly that, but no administration.
 * @throws Refused
 */
export function grantToSelf(self: Principal, wanted: WantedKey, holder: KeyHolder): Principal {
  if (wanted.admin === true) throw denied('an agent can not make itself an admin key');
  if (!self.read && !self.write)
    throw denied('this credential may neither read nor write, so it has nothing to give');
  if (wanted.readOnly === true && !self.read) throw denied('this credential may not read');
  if (wanted.readOnly === false && !self.write) throw denied('this credential may not write');
  return {
    ...holder,
    storeIds: storesWithin(self.storeIds, wanted.storeIds),
    read: self.read,
    write: self.write && wanted.readOnly !== true,
    admin: false,
    requestsPerMinuteMax: rateWithin(self.requestsPerMinuteMax, wanted.requestsPerMinuteMax),
  };
}

/** Empty lists mean all stores, so an empty list is within an empty one only. */
function storesWithin(own: readonly StoreId[], wanted: readonly StoreId[] | null): readonly StoreId[] {
  if (wanted === null) return own;
  const stores = [...new Set(wanted)];
  if (own.length === 0) return stores;
  if (stores.length === 0)
    throw denied('storeIds is empty, which means all stores; this credential is limited to some');
  const beyond = stores.find((store) => !own.includes(store));
  if (beyond !== undefined)
    throw denied(`storeIds has ${beyond}, and this credential is limited to other stores`);
  return stores;
}

function rateWithin(own: number | null, wanted: number | null): number | null {
  if (own !== null && wanted !== null && wanted > own) {
    throw denied(`rateLimit is ${wanted}; this credential is limited to ${own} requests a minute`);
  }
  return wanted ?? own;
}

function denied(sentence: string): Refused {
  return new Refused('INSUFFICIENT_PERMISSIONS', sentence);
}
