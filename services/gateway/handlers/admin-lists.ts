import { isBootstrapAdmin, type Principal } from '../../../domain/access.ts';
import { Refused } from '../../../domain/errors.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { Micros, TenantId } from '../../../domain/types.ts';
import type { AdminView } from '../../../storage/admin-view.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

/** Of each list; what is beyond it is cut off. */
export const adminRowsMax = 200;

/** Agents report no synchronisation. */
const noSync = { storeId: null, lastSyncAt: null, lastPushedSequence: null, lastPulledSequence: null };

/** The whole, in a few numbers. */
export function readAdminOverview(view: Pick<AdminView, 'overview'>): Handle {
  return async ({ principal }) => {
    const overview = await view.overview(visibleTenant(principal));
    return jsonReply({
      tenants: overview.tenants,
      stores: overview.stores,
      agents: overview.agents,
      apiKeys: overview.apiKeys,
      activeApiKeys: overview.activeApiKeys,
      totalHeadSequence: overview.totalHead,
      activeStores24h: overview.activeStores,
      maxProjectionLag: overview.projectionLagMax,
      lastActivityAt: adminTime(overview.lastActivityAt),
    });
  };
}

export function listAdminTenants(view: Pick<AdminView, 'tenants'>): Handle {
  return async ({ principal }) => {
    const tenants = await view.tenants(visibleTenant(principal), adminRowsMax);
    return jsonReply(
      tenants.map((tenant) => ({
        tenantId: tenant.tenantId,
        agentCount: tenant.agents,
        apiKeyCount: tenant.apiKeys,
        activeApiKeys: tenant.activeApiKeys,
        storeCount: tenant.stores,
        totalHeadSequence: tenant.totalHead,
        activeStores24h: tenant.activeStores,
        maxProjectionLag: tenant.projectionLagMax,
        lastKeyAt: adminTime(tenant.lastKeyAt),
        lastActivityAt: adminTime(tenant.lastActivityAt),
      })),
    );
  };
}

export function listAdminStores(view: Pick<AdminView, 'stores'>): Handle {
  return async ({ principal }) => {
    const stores = await view.stores(visibleTenant(principal), adminRowsMax);
    return jsonReply(
      stores.map((store) => ({
        tenantId: store.tenantId,
        storeId: store.storeId,
        headSequence: store.head,
        lastProjectedSequence: store.projectedTo,
        projectionLag: store.projectionLag,
        agentCount: store.agents,
        lastAgentSyncAt: null,
        updatedAt: adminTime(store.updatedAt),
      })),
    );
  };
}

export function listAdminAgents(view: Pick<AdminView, 'agents'>): Handle {
  return async ({ principal }) => {
    const agents = await view.agents(visibleTenant(principal), adminRowsMax);
    return jsonReply(
      agents.map((agent) => ({
        tenantId: agent.tenantId,
        agentId: agent.agentId,
        permissions: agent.permissions,
        storeScope: agent.allStores ? 'all' : 'scoped',
        apiKeyCount: agent.apiKeys,
        activeApiKeys: agent.activeApiKeys,
        firstKeyAt: adminTime(agent.firstKeyAt),
        lastKeyAt: adminTime(agent.lastKeyAt),
        ...noSync,
      })),
    );
  };
}

/**
 * The tenant that an administrator may look at; null is all of them.
 * @throws Refused when the caller is no administrator
 */
export function visibleTenant(principal: Principal): TenantId | null {
  if (!principal.admin) {
    throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential has no admin permission');
  }
  return isBootstrapAdmin(principal) ? null : principal.tenantId;
}

/** Times of administration end in `+00:00`. */
export function adminTime(micros: Micros | null): string | null {
  return micros === null ? null : formatTimestamp(micros, '+00:00');
}
