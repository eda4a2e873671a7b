import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { TenantId } from '../../domain/types.ts';
import { writeUuid } from '../../domain/uuid.ts';

/** A data key as the database keeps it. */
export interface WrappedKey {
  readonly tenantId: TenantId;
  readonly keyNumber: number;
  readonly masterFingerprint: Uint8Array;
  /** Nonce, ciphertext and tag: 12 + 32 + 16 bytes. */
  readonly wrapped: Uint8Array;
}

/** 32 bytes each. The first of a list wraps; all of them unwrap. */
export interface MasterKeySettings {
  readonly general: readonly Uint8Array[];
  /** Of tenants that have keys of their own, which then go before the general ones. */
  readonly byTenant: ReadonlyMap<string, readonly Uint8Array[]>;
}

export const noMasterKeys: MasterKeySettings = { general: [], byTenant: new Map() };

interface MasterKey {
  readonly fingerprint: Buffer;
  readonly key: KeyObject;
}

const nonceBytes = 12;
const keyBytes = 32;
const tagBytes = 16;
const fingerprintDomain = 'STATESET_PAYLOAD_MASTER_KEY_V1';
const wrapDomain = Buffer.from('STATESET_PAYLOAD_KEY_V1');

/** The keys from the environment, with which the database's data keys are wrapped. */
export class MasterKeys {
  private readonly general: readonly MasterKey[];
  private readonly byTenant: ReadonlyMap<string, readonly MasterKey[]>;

  constructor({ general, byTenant }: MasterKeySettings) {
    this.general = general.map(toMasterKey);
    this.byTenant = new Map([...byTenant].map(([tenantId, keys]) => [tenantId, keys.map(toMasterKey)]));
  }

  /** Whether there is any key that wraps for tenants without keys of their own. */
  get isEmpty(): boolean {
    return this.general.length === 0;
  }

  /** Names the key that wraps for this tenant; null when there is none. */
  firstFingerprint(tenantId: TenantId): Buffer | null {
    return this.ringOf(tenantId)[0]?.fingerprint ?? null;
  }

  /**
   * Wraps a data key under the tenant's first master key.
   * @returns null when there is none
   */
  wrap(tenantId: TenantId, keyNumber: number, dataKey: KeyObject): WrappedKey | null {
    const [master] = this.ringOf(tenantId);
    if (master === undefined) return null;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', master.key, nonce);
    cipher.setAAD(ownerBytes(tenantId, keyNumber));
    const encrypted = Buffer.concat([cipher.update(dataKey.export()), cipher.final()]);
    const wrapped = Buffer.concat([nonce, encrypted, cipher.getAuthTag()]);
    return { tenantId, keyNumber, masterFingerprint: master.fingerprint, wrapped };
  }

  /** @returns `no master key` when the one that wraps it is not here, and `damaged` when it does not fit */
  unwrap({
    tenantId,
    keyNumber,
    masterFingerprint,
    wrapped,
  }: WrappedKey): KeyObject | 'no master key' | 'damaged' {
    const ring = [...this.ringOf(tenantId), ...this.general];
    const master = ring.find(({ fingerprint }) => fingerprint.equals(masterFingerprint));
    if (master === undefined) return 'no master key';
    if (wrapped.length !== nonceBytes + keyBytes + tagBytes) return 'damaged';
    const tagAt = nonceBytes + keyBytes;
    const decipher = createDecipheriv('aes-256-gcm', master.key, wrapped.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(ownerBytes(tenantId, keyNumber));
    decipher.setAuthTag(wrapped.subarray(tagAt));
    try {
      const key = Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, tagAt)), decipher.final()]);
      return createSecretKey(key);
    } catch {
      return 'damaged';
    }
  }

  private ringOf(tenantId: TenantId): readonly MasterKey[] {
    return this.byTenant.get(tenantId) ?? this.general;
  }
}

/** A new data key. */
export function drawDataKey(): KeyObject {
  return createSecretKey(randomBytes(keyBytes));
}

/** What names a master key in the database and at start: it tells nothing of the key. 16 bytes. */
export function masterFingerprint(key: Uint8Array): Buffer {
  return createHash('sha256').update(fingerprintDomain).update(key).digest().subarray(0, 16);
}

function toMasterKey(key: Uint8Array): MasterKey {
  return { fingerprint: masterFingerprint(key), key: createSecretKey(key) };
}

/** Whose key it is, so that no tenant's can be put in the place of another's. */
function ownerBytes(tenantId: TenantId, keyNumber: number): Uint8Array {
  const bytes = Buffer.alloc(wrapDomain.length + 2 + 16);
  const at = bytes.writeUInt16BE(keyNumber, wrapDomain.copy(bytes));
  writeUuid(tenantId, bytes, at);
  return bytes;
}
