import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import { InvariantBroken, LogUnavailable } from '../../domain/errors.ts';
import type { AgentId, ApiKeyHash, Micros, TenantId } from '../../domain/types.ts';
import type { AgentRef, ApiKeyRecord, ApiKeys, KeyOwner } from '../api-keys.ts';

interface StoredKey extends ApiKeyRecord {
  readonly bootstrap: boolean;
  /** The number of the last change, which stands for its time. */
  readonly changed: number;
}

/** API keys that live as long as the process, with a switch that makes them unreachable. */
export class MemoryApiKeys implements ApiKeys {
  /** While false, every call fails as if the database were down. */
  reachable = true;
  /** In the order in which they were made. */
  private readonly records = new Map<ApiKeyHash, StoredKey>();
  private changes = 0;

  async findByHash(hash: ApiKeyHash): Promise<ApiKeyRecord | null> {
    await this.reach();
    const stored = this.records.get(hash);
    return stored === undefined ? null : toRecord(stored);
  }

  async installBootstrapKey(
    hash: ApiKeyHash,
    { replaceOthers }: { readonly replaceOthers: boolean },
  ): Promise<boolean> {
    await this.reach();
    if (this.records.get(hash)?.active === false) return false;
    this.change(hash, { active: true, principal: bootstrapAdmin, bootstrap: true });
    if (!replaceOthers) return true;
    for (const other of this.records.values()) {
      if (other.bootstrap && other.active && other.hash !== hash) {
        this.change(other.hash, { ...other, active: false });
      }
    }
    return true;
  }

  async hasActiveKey(): Promise<boolean> {
    await this.reach();
    return [...this.records.values()].some((record) => record.active);
  }

  async insertKey(hash: ApiKeyHash, principal: Principal, activeKeysMax = Infinity): Promise<boolean> {
    await this.reach();
    if (this.records.has(hash)) throw new InvariantBroken('an API key with this hash exists already');
    const active = [...this.records.values()].filter(
      (record) =>
        record.active &&
        record.principal.tenantId === principal.tenantId &&
        record.principal.agentId === principal.agentId,
    );
    if (active.length >= activeKeysMax) return false;
    this.change(hash, { active: true, principal, bootstrap: false });
    return true;
  }

  async revoke(hash: ApiKeyHash): Promise<boolean> {
    await this.reach();
    const record = this.records.get(hash);
    if (record?.active !== true) return false;
    this.change(hash, { ...record, active: false });
    return true;
  }

  async list(
    owner: KeyOwner,
    { afterPrefix, limit }: { readonly afterPrefix: string | null; readonly limit: number },
  ): Promise<ApiKeyRecord[]> {
    await this.reach();
    const newestFirst = this.ofOwner(owner).reverse();
    const after = newestFirst.findLastIndex(
      ({ hash }) => afterPrefix !== null && hash.startsWith(afterPrefix),
    );
    if (afterPrefix !== null && after === -1) return [];
    return newestFirst.slice(after + 1, after + 1 + limit).map(toRecord);
  }

  async findByPrefix(owner: KeyOwner, prefix: string, limit: number): Promise<ApiKeyRecord[]> {
    await this.reach();
    const found = this.ofOwner(owner).filter(({ hash }) => hash.startsWith(prefix));
    return found
      .sort((a, b) => (a.hash < b.hash ? -1 : 1))
      .slice(0, limit)
      .map(toRecord);
  }

  async findLatest(agent: AgentRef): Promise<ApiKeyRecord | null> {
    await this.reach();
    const [latest] = this.ofOwner(agent).sort((a, b) => b.changed - a.changed);
    return latest === undefined ? null : toRecord(latest);
  }

  async tenantsOfAgent(agentId: AgentId, limit: number): Promise<TenantId[]> {
    await this.reach();
    const keys = [...this.records.values()].filter(({ principal }) => principal.agentId === agentId);
    return [...new Set(keys.map(({ principal }) => principal.tenantId))].sort().slice(0, limit);
  }

  async revision(): Promise<number> {
    await this.reach();
    return this.changes;
  }

  private ofOwner({ tenantId, agentId }: KeyOwner): StoredKey[] {
    return [...this.records.values()].filter(
      ({ principal }) =>
        principal.tenantId === tenantId && (agentId === null || principal.agentId === agentId),
    );
  }

  private change(hash: ApiKeyHash, facts: Pick<StoredKey, 'active' | 'principal' | 'bootstrap'>): void {
    this.changes += 1;
    const createdAt = this.records.get(hash)?.createdAt ?? (BigInt(this.changes) as Micros);
    const { active, principal, bootstrap } = facts;
    this.records.set(hash, { hash, active, principal, bootstrap, createdAt, changed: this.changes });
  }

  private reach(): Promise<void> {
    if (this.reachable) return Promise.resolve();
    return Promise.reject(new LogUnavailable('the API keys are unreachable'));
  }
}

function toRecord({ hash, active, principal, createdAt }: StoredKey): ApiKeyRecord {
  return { hash, active, principal, createdAt };
}
