import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../domain/access.ts';
import { nilUuid } from '../../domain/access.ts';
import { nodeSha256 } from '../node-sha256.ts';
import type { Authentication } from './authenticate.ts';
import { readCredential } from './credential.ts';

/** Who presents METRICS_TOKEN: may do nothing but what asks for that proof. */
const scraper: Principal = {
  tenantId: nilUuid,
  agentId: null,
  storeIds: [],
  read: false,
  write: false,
  admin: false,
  requestsPerMinuteMax: null,
};

/** Null for whoever presents something else. */
export type AuthenticateScraper = (headers: IncomingHttpHeaders) => Authentication | null;

/**
 * Knows the scraper by METRICS_TOKEN alone, without the database: what a node counts matters most while Postgres does not
 * answer, which is when no API key can be checked. Any scheme is taken.
 *
 * @param token null where none is set: then nobody is known
 */
export function scraperAuthenticator(token: string | null): AuthenticateScraper {
  if (token === null) return () => null;
  const expected = digest(token);
  return (headers) => {
    const credential = readCredential(headers);
    if (credential.kind === 'missing') return null;
    // Hashes, since their length tells nothing and no caller chooses where they begin to differ.
    const isToken = timingSafeEqual(digest(credential.text), expected);
    return isToken ? { principal: scraper, provedBy: 'metrics_token' } : null;
  };
}

function digest(text: string): Uint8Array {
  return nodeSha256(Buffer.from(text));
}
