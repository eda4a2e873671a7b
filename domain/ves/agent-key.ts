import type { Fault } from '../sequencing/rejection.ts';
import type { AgentId, Micros, TenantId } from '../types.ts';

/** Which key: an agent of a tenant has as many as it likes, under numbers of its own choice. */
export interface AgentKeyRef {
  readonly tenantId: TenantId;
  readonly agentId: AgentId;
  /** u32. */
  readonly keyId: number;
}

/** A public key with which an agent signs, as its tenant registered it. */
export interface NewAgentKey extends AgentKeyRef {
  /** 32 bytes of Ed25519. */
  readonly publicKey: Uint8Array;
  /** As registered: 0 unspecified or 1, both Ed25519. */
  readonly algorithm: 0 | 1;
  /** The first and the last instant at which it signs; null means that there is no such bound. */
  readonly validFrom: Micros | null;
  readonly validTo: Micros | null;
}

export interface AgentKey extends NewAgentKey {
  /** Once set, the key signs nothing any more. */
  readonly revokedAt: Micros | null;
  readonly createdAt: Micros;
}

/** What a key is good for at an instant. */
export const agentKeyStatuses = ['valid', 'revoked', 'not yet valid', 'expired'] as const;
export type AgentKeyStatus = (typeof agentKeyStatuses)[number];

/**
 * Ves-format 10. A revocation counts whatever the clocks say: the one that wrote its time may run ahead of `now`.
 * @param now by the sequencer's clock, never a time that the event states
 */
export function agentKeyStatus(
  { validFrom, validTo, revokedAt }: Pick<AgentKey, 'validFrom' | 'validTo' | 'revokedAt'>,
  now: Micros,
): AgentKeyStatus {
  if (revokedAt !== null) return 'revoked';
  if (validFrom !== null && now < validFrom) return 'not yet valid';
  return validTo !== null && now > validTo ? 'expired' : 'valid';
}

/**
 * Why a key can't vouch for an event now.
 * @param key what is registered under the number that the event names; null when nothing is
 * @returns null when it can
 */
export function agentKeyFault(key: AgentKey | null, now: Micros): Fault | null {
  const status = key === null ? 'unknown' : agentKeyStatus(key, now);
  if (status === 'valid') return null;
  const detail = keySentences[status];
  return { reason: 'agent-key-invalid', message: detail, detail };
}

const keySentences = {
  unknown: 'Agent key not found',
  revoked: 'Agent key has been revoked',
  expired: 'Agent key has expired',
  'not yet valid': 'Agent key is not yet valid',
} as const;
