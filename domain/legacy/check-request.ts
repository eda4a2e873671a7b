import { checkRequest } from '../check-request.ts';
import type { RequestLimits, RequestPrincipal } from '../check-request.ts';
import type { LegacyRequest } from './read-request.ts';

export type { RequestLimits as LegacyRequestLimits, RequestPrincipal as LegacyRequestPrincipal };

/**
 * The checks that refuse a whole legacy request, in their published order (http-api 7.2). A request without events passes
 * all of them.
 * @throws Refused with `INVALID_FIELD_VALUE`, `INSUFFICIENT_PERMISSIONS` or `PAYLOAD_TOO_LARGE`
 */
export function checkLegacyRequest(
  request: LegacyRequest,
  principal: RequestPrincipal,
  limits: RequestLimits,
): void {
  checkRequest(
    { ...request, wireNames: { agent: 'agent_id', sourceAgent: 'source_agent' } },
    principal,
    limits,
  );
}
