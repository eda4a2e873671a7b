import type { Uuid } from '../../domain/types.ts';
import type { AgentKeyRef } from '../../domain/ves/agent-key.ts';
import type { LogScan } from '../../storage/postgres/log-scan.ts';

/** The public keys that rows name, each read once. Revoked and expired ones count: they were good when they signed. */
export class KeyCache {
  private readonly scan: LogScan;
  private readonly agentKeys = new Map<string, Uint8Array | null>();
  private sequencerKeys: ReadonlyMap<number, Uint8Array> | null = null;
  private identity: { readonly sequencerId: Uuid | null } | null = null;

  constructor(scan: LogScan) {
    this.scan = scan;
  }

  /** Null when nobody registered it. */
  async agentKey(ref: AgentKeyRef): Promise<Uint8Array | null> {
    const name = `${ref.tenantId}/${ref.agentId}/${ref.keyId}`;
    let key = this.agentKeys.get(name);
    if (key === undefined) {
      key = (await this.scan.agentKey(ref))?.publicKey ?? null;
      this.agentKeys.set(name, key);
    }
    return key;
  }

  /** Null when no node ever signed with it. */
  async sequencerKey(keyVersion: number): Promise<Uint8Array | null> {
    this.sequencerKeys ??= new Map(
      (await this.scan.sequencerKeys()).map((key) => [key.keyVersion, key.publicKey]),
    );
    return this.sequencerKeys.get(keyVersion) ?? null;
  }

  async sequencerId(): Promise<Uuid | null> {
    this.identity ??= { sequencerId: await this.scan.sequencerId() };
    return this.identity.sequencerId;
  }
}
