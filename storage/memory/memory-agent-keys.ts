import { LogUnavailable } from '../../domain/errors.ts';
import type { Micros } from '../../domain/types.ts';
import type { AgentKey, AgentKeyRef, NewAgentKey } from '../../domain/ves/agent-key.ts';
import type { AgentKeys } from '../agent-keys.ts';

/** Agent keys that live as long as the process, with a switch that makes them unreachable. */
export class MemoryAgentKeys implements AgentKeys {
  /** While false, every call fails as if the database were down. */
  reachable = true;
  private readonly keys = new Map<string, AgentKey>();
  private readonly now: () => Micros;
  private changes = 0;

  constructor(now: () => Micros) {
    this.now = now;
  }

  async find(ref: AgentKeyRef): Promise<AgentKey | null> {
    await this.reach();
    return this.keys.get(refText(ref)) ?? null;
  }

  async list(
    { tenantId, agentId }: Pick<AgentKeyRef, 'tenantId' | 'agentId'>,
    { afterKeyId, limit }: { readonly afterKeyId: number | null; readonly limit: number },
  ): Promise<AgentKey[]> {
    await this.reach();
    return [...this.keys.values()]
      .filter((key) => key.tenantId === tenantId && key.agentId === agentId && key.keyId > (afterKeyId ?? -1))
      .sort((a, b) => a.keyId - b.keyId)
      .slice(0, limit);
  }

  async register(key: NewAgentKey): Promise<boolean> {
    await this.reach();
    if (this.keys.has(refText(key))) return false;
    this.change({ ...key, revokedAt: null, createdAt: this.now() });
    return true;
  }

  async revoke(ref: AgentKeyRef): Promise<AgentKey | null> {
    await this.reach();
    const key = this.keys.get(refText(ref));
    if (key === undefined) return null;
    const revoked = { ...key, revokedAt: key.revokedAt ?? this.now() };
    this.change(revoked);
    return revoked;
  }

  async revision(): Promise<number> {
    await this.reach();
    return this.changes;
  }

  private change(key: AgentKey): void {
    this.keys.set(refText(key), key);
    this.changes += 1;
  }

  private reach(): Promise<void> {
    if (this.reachable) return Promise.resolve();
    return Promise.reject(new LogUnavailable('the agent keys are unreachable'));
  }
}

function refText({ tenantId, agentId, keyId }: AgentKeyRef): string {
  return `${tenantId}/${agentId}/${keyId}`;
}
