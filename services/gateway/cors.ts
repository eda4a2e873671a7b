import type { IncomingMessage } from 'node:http';
import { emptyReply, type Reply } from './reply.ts';

/** What browsers are told; an empty list of origins turns CORS off. */
export interface Cors {
  /** For every response to this request. */
  headersFor(req: IncomingMessage): Readonly<Record<string, string>>;
  /** The answer to a preflight request; null when this is none. */
  preflight(req: IncomingMessage): Reply | null;
}

const off: Cors = { headersFor: () => ({}), preflight: () => null };

export function allowOrigins(allowedOrigins: readonly string[]): Cors {
  if (allowedOrigins.length === 0) return off;
  const any = allowedOrigins.includes('*');
  const origins = new Set(allowedOrigins);
  return {
    headersFor: ({ headers: { origin } }) => {
      const exposed = { 'access-control-expose-headers': 'x-request-id,x-error-code,retry-after' };
      if (any) return { ...exposed, 'access-control-allow-origin': '*' };
      if (origin === undefined || !origins.has(origin)) return { vary: 'origin' };
      return { ...exposed, 'access-control-allow-origin': origin, vary: 'origin' };
    },
    preflight: ({ method, headers }) => {
      if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return null;
      return emptyReply(200, {
        'access-control-allow-methods': 'GET,POST,PUT,DELETE,OPTIONS',
        'access-control-allow-headers': 'authorization,content-type',
      });
    },
  };
}
