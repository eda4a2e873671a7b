/** What a node does with a request to append legacy events: it finds the store, reads the body, and checks the whole. */
export { checkLegacyRequest } from './check-request.ts';
export type { LegacyRequestLimits, LegacyRequestPrincipal } from './check-request.ts';
export { findStoreKey } from './find-store-key.ts';
export { readLegacyRequest } from './read-request.ts';
export type { LegacyEventInRequest, LegacyRequest } from './read-request.ts';
