import type { AgentId, StoreId, StoreKey, TenantId, Uuid } from './types.ts';

/** Who a request speaks for, and what they may do; the same whichever kind of credential proved it. */
export interface Principal {
  readonly tenantId: TenantId;
  /** The stores that the credential is limited to; empty means all stores of the tenant. */
  readonly storeIds: readonly StoreId[];
  /** The agent that the credential is bound to, or null when it is not bound. */
  readonly agentId: AgentId | null;
  readonly read: boolean;
  readonly write: boolean;
  /** Does not imply the other two. */
  readonly admin: boolean;
  /** Null when the credential has no limit of its own. */
  readonly requestsPerMinuteMax: number | null;
}

export type Permission = 'read' | 'write' | 'admin';

/** The tenant of the bootstrap administrator, and the store that stands for "no store in particular". */
export const nilUuid = '00000000-0000-0000-0000-000000000000' as Uuid;

/** Whoever holds the bootstrap key, and everyone while authentication is disabled. */
export const bootstrapAdmin: Principal = {
  tenantId: nilUuid,
  storeIds: [],
  agentId: null,
  read: true,
  write: true,
  admin: true,
  requestsPerMinuteMax: null,
};

/**
 * Checks the permission first and the scope second.
 * @returns why access is denied, as a sentence for the caller, or null when it is not
 */
export function denialOf(principal: Principal, permission: Permission, store: StoreKey): string | null {
  if (!principal[permission]) return `this credential has no ${permission} permission`;
  if (isBootstrapAdmin(principal)) return null;
  if (principal.tenantId !== store.tenantId) return 'this credential belongs to another tenant';
  const unlimited = principal.storeIds.length === 0 || store.storeId === nilUuid;
  if (!unlimited && !principal.storeIds.includes(store.storeId)) {
    return 'this credential is limited to other stores';
  }
  return null;
}

/** The one principal that is not held to a tenant. */
export function isBootstrapAdmin({ tenantId, admin }: Principal): boolean {
  return admin && tenantId === nilUuid;
}
