import type { AgentId, Micros, StoreId, TenantId } from '../domain/types.ts';

/**
 * What an administrator sees of tenants, stores and agents.
 *
 * All of it comes from fence rows and API keys, never from events, so it costs by the number of stores and not by what is in
 * them. Every method looks at one tenant, or at all when the tenant is null, and answers what was durable at one instant.
 * All of them throw `LogUnavailable` when the database can't be reached or does not answer in time.
 */
export interface AdminView {
  overview(tenantId: TenantId | null): Promise<Overview>;
  /** Those that own an API key, latest activity first, at most `limit`. */
  tenants(tenantId: TenantId | null, limit: number): Promise<TenantSummary[]>;
  /** Those that were ever claimed, latest activity first, at most `limit`. */
  stores(tenantId: TenantId | null, limit: number): Promise<StoreSummary[]>;
  /** Those that own an API key, the one with the newest key first, at most `limit`. */
  agents(tenantId: TenantId | null, limit: number): Promise<AgentSummary[]>;
}

interface StoreTotals {
  readonly stores: number;
  /** Of the legacy streams; 2^53 - 1 when it is more. */
  readonly totalHead: number;
  /** With an event of either world in the last 24 hours. */
  readonly activeStores: number;
  /** When the last event of either world was sequenced; null before the first. */
  readonly lastActivityAt: Micros | null;
  /** Legacy events not projected yet, of the store with most of them; 0 where nothing was ever projected. */
  readonly projectionLagMax: number;
}

interface KeyTotals {
  readonly agents: number;
  readonly apiKeys: number;
  readonly activeApiKeys: number;
}

export interface Overview extends StoreTotals, KeyTotals {
  readonly tenants: number;
}

export interface TenantSummary extends StoreTotals, KeyTotals {
  readonly tenantId: TenantId;
  readonly lastKeyAt: Micros;
}

export interface StoreSummary {
  readonly tenantId: TenantId;
  readonly storeId: StoreId;
  /** Of the legacy stream. */
  readonly head: number;
  /** The last legacy event that is projected; 0 before the first. */
  readonly projectedTo: number;
  /** Legacy events not projected yet; 0 where nothing was ever projected, in any store. */
  readonly projectionLag: number;
  /** With an active key that reaches the store. */
  readonly agents: number;
  /** When the last event of either world was sequenced, or, before the first, when the store was claimed. */
  readonly updatedAt: Micros;
}

export interface AgentSummary {
  readonly tenantId: TenantId;
  readonly agentId: AgentId;
  /** Of the key that was changed last. */
  readonly permissions: 'admin' | 'read_write' | 'read';
  /** Whether that key reaches every store of the tenant. */
  readonly allStores: boolean;
  readonly apiKeys: number;
  readonly activeApiKeys: number;
  readonly firstKeyAt: Micros;
  readonly lastKeyAt: Micros;
}
