import type { WantedKey } from '../../domain/key-grant.ts';
import type { AgentId, TenantId } from '../../domain/types.ts';

/** The API keys of a tenant, wherever the command reaches them. All methods throw KeysRefused with a sentence. */
export interface KeyAccess {
  make(tenantId: TenantId, agentId: AgentId | null, wanted: WantedKey): Promise<MadeKey>;
  /** Newest first, revoked ones too, in pages. */
  pages(tenantId: TenantId): AsyncIterable<readonly ListedKey[]>;
  revoke(tenantId: TenantId, prefix: string): Promise<void>;
  close(): Promise<void>;
}

export interface MadeKey {
  /** The only time that anyone sees it. */
  readonly apiKey: string;
  readonly keyHashPrefix: string;
  readonly permissions: string;
}

export interface ListedKey {
  readonly keyHashPrefix: string;
  readonly active: boolean;
  readonly permissions: string;
  readonly rateLimit: number | null;
  readonly agentId: string | null;
  readonly storeIds: readonly string[];
  readonly createdAt: string;
}

/** The node or the database says no; the message says why. */
export class KeysRefused extends Error {}
