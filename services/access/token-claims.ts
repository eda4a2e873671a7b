import type { Principal } from '../../domain/access.ts';
import type { StoreId, Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';

export interface Claims {
  readonly principal: Principal;
  /** Seconds since 1970. */
  readonly expiresSecs: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The claims of a token whose signature is good; null when one that is needed is missing, of the wrong type, or not ours.
 *
 * `nbf` and `iat` must be there and are not compared with the clock, as the reference does it. What lists hold is not
 * trimmed, and permissions of other names mean nothing.
 */
export function readClaims(
  payload: Uint8Array,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): Claims | null {
  const claims = parseObject(payload);
  if (claims?.iss !== issuer || claims.aud !== audience) return null;
  if (typeof claims.jti !== 'string') return null;
  const { exp, iat, nbf } = claims;
  if (!isWholeNumber(exp) || !isWholeNumber(iat) || !isWholeNumber(nbf)) return null;
  const tenantId = typeof claims.sub === 'string' ? parseUuid(claims.sub) : null;
  const storeIds = readStores(claims.stores);
  const agentId = readAgent(claims.agent);
  const permissions = readPermissions(claims.perms);
  if (tenantId === null || storeIds === null || agentId === undefined || permissions === null) return null;
  return {
    principal: {
      tenantId,
      storeIds,
      agentId,
      read: permissions.includes('read'),
      write: permissions.includes('write'),
      admin: permissions.includes('admin'),
      requestsPerMinuteMax: null,
    },
    expiresSecs: exp,
  };
}

function parseObject(payload: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(utf8.decode(payload));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Null when an entry is no UUID; without the claim, and for an empty one, all stores. */
function readStores(claim: unknown): StoreId[] | null {
  if (claim === undefined || claim === null || claim === '') return [];
  if (typeof claim !== 'string') return null;
  const stores = claim.split(',').map(parseUuid);
  return stores.every((store) => store !== null) ? [...new Set(stores)] : null;
}

/** Undefined when it is no UUID. */
function readAgent(claim: unknown): Uuid | null | undefined {
  if (claim === undefined || claim === null) return null;
  return (typeof claim === 'string' ? parseUuid(claim) : null) ?? undefined;
}

function readPermissions(claim: unknown): string[] | null {
  if (claim === undefined || claim === null) return [];
  return typeof claim === 'string' ? claim.split(',') : null;
}
