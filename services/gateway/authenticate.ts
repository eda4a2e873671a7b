import type { IncomingHttpHeaders } from 'node:http';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import type { Log } from '../../telemetry/log.ts';
import { hashApiKey } from '../access/api-key-hash.ts';
import { type Credential, readCredential } from './credential.ts';

export type AuthFailure = 'missing_auth' | 'invalid_api_key' | 'invalid_jwt' | 'auth_backend_unavailable';

export type Authentication =
  | {
      readonly principal: Principal;
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
  /** Whether missing and bad credentials make the caller the bootstrap administrator. Good ones are honoured. */
  readonly disabled: boolean;
  readonly log: Log;
}

export function authenticator(deps: AuthenticateDependencies): Authenticate {
  return async (headers) => {
    const authentication = await check(deps, readCredential(headers));
    const excused = deps.disabled && authentication.principal === null && isCallersFault(authentication);
    return excused ? { principal: bootstrapAdmin } : authentication;
  };
}

async function check(deps: AuthenticateDependencies, credential: Credential): Promise<Authentication> {
  if (credential.kind === 'missing') return failed('missing_auth');
  if (credential.kind === 'bearer') return failed('invalid_jwt');
  const { text, kind } = credential;
  const hash = hashApiKey(text);
  // Comparing hashes needs no constant time: what leaks is about the hash, and nobody can aim at one.
  if (!text.startsWith(keyPrefix) && hash !== deps.bootstrapKeyHash) {
    return failed(kind === 'bare' ? 'missing_auth' : 'invalid_api_key');
  }
  try {
    const principal = await deps.findPrincipal(hash);
    return principal === null ? failed('invalid_api_key') : { principal, credentialId: hash };
  } catch (error) {
    deps.log.debug({ err: error }, 'an API key could not be looked up');
    return failed('auth_backend_unavailable');
  }
}

const keyPrefix = 'ss_';

function failed(failure: AuthFailure): Authentication {
  return { principal: null, failure };
}

function isCallersFault(authentication: Authentication): boolean {
  return authentication.principal === null && authentication.failure !== 'auth_backend_unavailable';
}
