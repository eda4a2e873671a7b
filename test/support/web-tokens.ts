import { createHmac } from 'node:crypto';

export const tokenSecret = 'a secret of tests, long enough for anyone';
export const tokenTenant = 'aaaaaaaa-0000-4000-8000-00000000000a';

/** Good claims, with which the fields replace; undefined leaves one out. */
export function claims(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1_000);
  return {
    sub: tokenTenant,
    iss: 'stateset-sequencer',
    aud: 'stateset-api',
    exp: now + 600,
    iat: now,
    nbf: now,
    jti: 'token-1',
    perms: 'read',
    ...fields,
  };
}

/** A compact JWS of a value, or of text or bytes as they are, made by hand so that every wrong form can be made as well. */
export function signToken(
  payload: unknown,
  { header = { alg: 'HS256', typ: 'JWT' }, secret = tokenSecret, hash = 'sha256' } = {},
): string {
  const isWritten = typeof payload === 'string' || payload instanceof Uint8Array;
  const body = isWritten ? payload : JSON.stringify(payload);
  const signed = `${base64url(JSON.stringify(header))}.${base64url(body)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}
