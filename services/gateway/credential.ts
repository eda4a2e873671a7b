import type { IncomingHttpHeaders } from 'node:http';

/** What a caller presents, by the form of the header only; nothing of it is checked yet. */
export type Credential =
  | { readonly kind: 'missing' }
  /** `ApiKey <key>`. */
  | { readonly kind: 'scheme'; readonly text: string }
  /** A value without a scheme, to be taken for an API key if it looks like one. */
  | { readonly kind: 'bare'; readonly text: string }
  /** `Bearer <token>`. */
  | { readonly kind: 'bearer'; readonly text: string };

/** What every API key begins with, but for the configured bootstrap key. */
export const apiKeyPrefix = 'ss_';

const schemes = [
  { prefix: 'ApiKey ', kind: 'scheme' },
  { prefix: 'Bearer ', kind: 'bearer' },
] as const;

/** Reads `Authorization` or, only when there is none, `X-API-Key`; both allow the same forms. */
export function readCredential(headers: IncomingHttpHeaders): Credential {
  const value = headers.authorization ?? headers['x-api-key'];
  if (typeof value !== 'string' || !visibleAscii.test(value)) return { kind: 'missing' };
  for (const { prefix, kind } of schemes) {
    // The scheme is case-sensitive, and exactly one space ends it.
    if (value.startsWith(prefix)) return readScheme(kind, value.slice(prefix.length));
  }
  return { kind: 'bare', text: value };
}

/** No token begins like an API key, so a key that comes as a bearer token is meant as what it is. */
function readScheme(kind: 'scheme' | 'bearer', text: string): Credential {
  return { kind: text.startsWith(apiKeyPrefix) ? 'scheme' : kind, text };
}

const visibleAscii = /^[\x20-\x7e]+$/;
