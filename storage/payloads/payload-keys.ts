import type { TenantId } from '../../domain/types.ts';
import type { DataKey } from './sealed-payload.ts';

/** What is known of a data key. */
export type DataKeyState =
  | { readonly kind: 'key'; readonly key: DataKey }
  /** The tenant was erased: its keys are gone for good. */
  | { readonly kind: 'erased' }
  /** The master key that wraps it is none of those that are configured here; its fingerprint in hex. */
  | { readonly kind: 'locked'; readonly masterFingerprint: string }
  /** What is stored is not what was wrapped. */
  | { readonly kind: 'damaged' };

/** A data key by its number, or the one that new payloads of the tenant are sealed with. */
export interface DataKeyRef {
  readonly tenantId: TenantId;
  readonly keyNumber: number | 'current';
}

/** The data keys of all tenants, unwrapped. */
export interface PayloadKeys {
  /**
   * Null when the tenant has no key of this number. The current one is made when there is none; nodes that do so at the same
   * moment get the same one.
   * @throws LogUnavailable
   */
  find(ref: DataKeyRef): Promise<DataKeyState | null>;
  /** Changes with every key that is rewrapped or destroyed. @throws LogUnavailable */
  revision(): Promise<number>;
}
