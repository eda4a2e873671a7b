import { sameBytes } from '../bytes.ts';
import type { AgentId, TenantId, Uuid } from '../types.ts';

/** A public key of the sequencer, as `GET /api/v1/sequencer/keys` publishes it. */
export interface SequencerPublicKey {
  readonly keyVersion: number;
  /** 32 bytes of Ed25519. */
  readonly publicKey: Uint8Array;
}

/** A public key of an agent. */
export interface AgentPublicKey {
  /** Null in lists that don't say the tenant; then it is taken for that of any. */
  readonly tenantId: TenantId | null;
  readonly agentId: AgentId;
  readonly keyId: number;
  /** 32 bytes of Ed25519. */
  readonly publicKey: Uint8Array;
}

/** Keys from one source. */
export interface PublicKeys {
  readonly sequencerId: Uuid | null;
  readonly sequencerKeys: readonly SequencerPublicKey[];
  readonly agentKeys: readonly AgentPublicKey[];
}

export const noKeys: PublicKeys = { sequencerId: null, sequencerKeys: [], agentKeys: [] };

type AgentKeyName = Pick<AgentPublicKey, 'agentId' | 'keyId'> & { readonly tenantId: TenantId };

/**
 * The keys to check signatures with. What the verifier was given counts; what the checked file itself brings fills in only
 * for the side, sequencer or agents, of which nothing was given.
 */
export class KeyRing {
  /** Whether the keys of this side were given, and do not come from the file. */
  readonly givenSequencer: boolean;
  readonly givenAgents: boolean;
  private knownSequencerId: Uuid | null;
  private readonly sequencerKeys = new Map<number, Uint8Array>();
  private readonly agentKeys = new Map<string, Uint8Array>();

  /** @param given keys that the verifier has from elsewhere, and trusts */
  constructor(given: PublicKeys = noKeys) {
    this.givenSequencer = given.sequencerKeys.length > 0;
    this.givenAgents = given.agentKeys.length > 0;
    this.knownSequencerId = given.sequencerId;
    for (const key of given.sequencerKeys) this.sequencerKeys.set(key.keyVersion, key.publicKey);
    for (const key of given.agentKeys) this.agentKeys.set(agentKeyText(key), key.publicKey);
  }

  get sequencerId(): Uuid | null {
    return this.knownSequencerId;
  }

  get sequencerKeyVersions(): number[] {
    return [...this.sequencerKeys.keys()].sort((a, b) => a - b);
  }

  sequencerKey(keyVersion: number): Uint8Array | null {
    return this.sequencerKeys.get(keyVersion) ?? null;
  }

  agentKey(name: AgentKeyName): Uint8Array | null {
    return (
      this.agentKeys.get(agentKeyText(name)) ??
      this.agentKeys.get(agentKeyText({ ...name, tenantId: null })) ??
      null
    );
  }

  /** @returns null, or a sentence when the file contradicts what is known */
  addSequencerId(sequencerId: Uuid): string | null {
    this.knownSequencerId ??= sequencerId;
    if (this.knownSequencerId === sequencerId) return null;
    return `the sequencer is ${sequencerId} there; expected is ${this.knownSequencerId}`;
  }

  /** @returns null, or a sentence when the file contradicts what is known */
  addSequencerKey({ keyVersion, publicKey }: SequencerPublicKey): string | null {
    const known = this.sequencerKeys.get(keyVersion);
    if (known !== undefined) {
      return sameBytes(known, publicKey)
        ? null
        : `version ${keyVersion} of the sequencer's key is another one`;
    }
    if (!this.givenSequencer) this.sequencerKeys.set(keyVersion, publicKey);
    return null;
  }

  /** @returns null, or a sentence when the file contradicts what is known */
  addAgentKey(key: AgentPublicKey): string | null {
    const known =
      key.tenantId === null
        ? this.agentKeys.get(agentKeyText(key))
        : this.agentKey({ ...key, tenantId: key.tenantId });
    if (known != null) {
      return sameBytes(known, key.publicKey)
        ? null
        : `key ${key.keyId} of the agent ${key.agentId} is another one`;
    }
    if (!this.givenAgents) this.agentKeys.set(agentKeyText(key), key.publicKey);
    return null;
  }
}

function agentKeyText({
  tenantId,
  agentId,
  keyId,
}: Pick<AgentPublicKey, 'tenantId' | 'agentId' | 'keyId'>): string {
  return `${tenantId ?? '*'}/${agentId}/${keyId}`;
}
