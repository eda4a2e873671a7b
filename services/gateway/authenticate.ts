import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import type { Log } from '../../telemetry/log.ts';
import { hashApiKey } from '../access/api-key-hash.ts';
import type { TokenVerdict } from '../access/web-tokens.ts';
import { apiKeyPrefix, type Credential, readCredential } from './credential.ts';

export type AuthFailure =
  'missing_auth' | 'invalid_api_key' | 'invalid_jwt' | 'token_expired' | 'auth_backend_unavailable';

/** What proved who someone is; `none` while authentication is disabled, `metrics_token` where nothing else is told. */
export type ProofKind = 'api_key' | 'jwt' | 'metrics_token' | 'none';

export type Authentication =
  | {
      readonly principal: Principal;
      readonly provedBy: ProofKind;
      /** Tells credentials apart and is no secret; only of those that may have a limit of their own. */
      readonly credentialId?: string;
    }
  | { readonly principal: null; readonly failure: AuthFailure };

/** Finds out who a request speaks for; never rejects. */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Authentication>;

export interface AuthenticateDependencies {
  /** The principal of an active key; null when there is none. Rejects when that can't be known now. */
  readonly findPrincipal: (hash: ApiKeyHash) => Promise<Principal | null>;
  /** Of the configured bootstrap key, the only one that need not begin with `ss_`; null when none is configured. */
  readonly bootstrapKeyHash: ApiKeyHash | null;
  /** What a bearer token is worth; null when this node takes none. */
  readonly checkToken: ((token: string) => Promise<TokenVerdict>) | null;
  /** Whether missing and bad credentials make the caller the bootstrap administrator. Good ones are honoured. */
  readonly disabled: boolean;
  readonly log: Log;
}

export function authenticator(deps: AuthenticateDependencies): Authenticate {
  return async (headers) => {
    const authentication = await check(deps, readCredential(headers));
    const excused = deps.disabled && authentication.principal === null && isCallersFault(authentication);
    return excused ? { principal: bootstrapAdmin, provedBy: 'none' } : authentication;
  };
}

async function check(deps: AuthenticateDependencies, credential: Credential): Promise<Authentication> {
  if (credential.kind === 'missing') return failed('missing_auth');
  const { text, kind } = credential;
  if (kind === 'bearer') {
    const verdict = await deps.checkToken?.(text);
    if (verdict === undefined) return failed('invalid_jwt');
    return verdict.principal === null ? verdict : { principal: verdict.principal, provedBy: 'jwt' };
  }
  const hash = hashApiKey(text);
  // Every other comparison of a key is a look-up of its hash, of which nobody can choose the first characters.
  if (!text.startsWith(apiKeyPrefix) && !isSameHash(hash, deps.bootstrapKeyHash)) {
    return failed(kind === 'bare' ? 'missing_auth' : 'invalid_api_key');
  }
  try {
    const principal = await deps.findPrincipal(hash);
    return principal === null
      ? failed('invalid_api_key')
      : { principal, provedBy: 'api_key', credentialId: hash };
  } catch (error) {
    deps.log.debug({ err: error }, 'an API key could not be looked up');
    return failed('auth_backend_unavailable');
  }
}

/** In constant time, so that nothing about the configured key can be measured. */
function isSameHash(given: ApiKeyHash, expected: ApiKeyHash | null): boolean {
  return expected !== null && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

function failed(failure: AuthFailure): Authentication {
  return { principal: null, failure };
}

function isCallersFault(authentication: Authentication): boolean {
  return authentication.principal === null && authentication.failure !== 'auth_backend_unavailable';
}
