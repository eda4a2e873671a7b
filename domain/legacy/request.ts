/** What a node does with a request to append legacy events: it reads the body, and checks the whole. */
export { checkLegacyRequest } from './check-request.ts';
export type { LegacyRequestLimits, LegacyRequestPrincipal } from './check-request.ts';
export { readLegacyRequest } from './read-request.ts';
export type { LegacyEventInRequest, LegacyRequest } from './read-request.ts';
