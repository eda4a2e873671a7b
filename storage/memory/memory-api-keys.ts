import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import { InvariantBroken, LogUnavailable } from '../../domain/errors.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import type { ApiKeyRecord, ApiKeys } from '../api-keys.ts';

/** API keys that live as long as the process, with a switch that makes them unreachable. */
export class MemoryApiKeys implements ApiKeys {
  /** While false, every call fails as if the database were down. */
  reachable = true;
  private readonly records = new Map<ApiKeyHash, ApiKeyRecord>();
  private changes = 0;

  async findByHash(hash: ApiKeyHash): Promise<ApiKeyRecord | null> {
    await this.reach();
    return this.records.get(hash) ?? null;
  }

  async upsertBootstrapKey(hash: ApiKeyHash): Promise<void> {
    await this.reach();
    this.change({ hash, active: true, principal: bootstrapAdmin });
  }

  async hasActiveKey(): Promise<boolean> {
    await this.reach();
    return [...this.records.values()].some((record) => record.active);
  }

  async insertKey(hash: ApiKeyHash, principal: Principal): Promise<void> {
    await this.reach();
    if (this.records.has(hash)) throw new InvariantBroken('an API key with this hash exists already');
    this.change({ hash, active: true, principal });
  }

  async revoke(hash: ApiKeyHash): Promise<boolean> {
    await this.reach();
    const record = this.records.get(hash);
    if (record?.active !== true) return false;
    this.change({ ...record, active: false });
    return true;
  }

  async revision(): Promise<number> {
    await this.reach();
    return this.changes;
  }

  private change(record: ApiKeyRecord): void {
    this.records.set(record.hash, record);
    this.changes += 1;
  }

  private reach(): Promise<void> {
    if (this.reachable) return Promise.resolve();
    return Promise.reject(new LogUnavailable('the API keys are unreachable'));
  }
}
