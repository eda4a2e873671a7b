import type { Principal } from '../../domain/access.ts';
import type { RateLimiter, RateVerdict } from './rate-limiter.ts';

/** Who makes a request, as far as limits go. */
export interface LimitedCaller {
  readonly principal: Pick<Principal, 'tenantId' | 'requestsPerMinuteMax'>;
  /** Names the credential without being it; absent when it has no limit of its own. */
  readonly credentialId?: string;
}

/** Counts a request against every limit that holds for its caller; null when none does. */
export type RequestLimits = (caller: LimitedCaller) => RateVerdict | null | Promise<RateVerdict | null>;

export interface RequestLimitsOptions {
  readonly perTenant: RateLimiter;
  readonly perCredential: RateLimiter;
  /** Of each tenant; the bootstrap administrator is one tenant. Null for no such limit. */
  readonly tenantRequestsMax: number | null;
}

/** First the tenant's limit, then the credential's: who is refused by the second has used up one request of the first. */
export function requestLimits(options: RequestLimitsOptions): RequestLimits {
  const { perTenant, perCredential, tenantRequestsMax } = options;
  return (caller) => {
    const { tenantId, requestsPerMinuteMax } = caller.principal;
    const { credentialId } = caller;
    const takeOfCredential =
      requestsPerMinuteMax === null || credentialId === undefined
        ? null
        : () => perCredential.take(`key:${credentialId}`, requestsPerMinuteMax);
    // No promise where none is needed: every request comes this way.
    if (tenantRequestsMax === null) return takeOfCredential?.() ?? null;
    const ofTenant = perTenant.take(`tenant:${tenantId}`, tenantRequestsMax);
    return takeOfCredential === null ? ofTenant : both(ofTenant, takeOfCredential);
  };
}

/** The verdict that the caller meets first: a refusal, else the one that leaves less. */
async function both(
  ofTenant: RateVerdict | Promise<RateVerdict>,
  takeOfCredential: () => RateVerdict | Promise<RateVerdict>,
): Promise<RateVerdict> {
  const first = await ofTenant;
  if (!first.isAllowed) return first;
  const second = await takeOfCredential();
  return !second.isAllowed || second.remaining < first.remaining ? second : first;
}
