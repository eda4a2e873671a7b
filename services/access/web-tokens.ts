import { hash } from 'node:crypto';
import { compactVerify, type CryptoKey } from 'jose';
import type { Principal } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import { CountedCache } from '../../telemetry/counted-cache.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';
import { readClaims } from './token-claims.ts';

export interface WebTokenOptions {
  /** What tokens are signed with: HMAC with SHA-256, and nothing else. */
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clock: Pick<Clock, 'nowMicros' | 'monotonicMs'>;
  /** Tokens whose verdict is kept, the rest costs a signature check each time. */
  readonly entriesMax: number;
}

/** What a token is worth. */
export type TokenVerdict =
  | { readonly principal: Principal }
  | { readonly principal: null; readonly failure: 'invalid_jwt' | 'token_expired' };

const leewaySecs = 60;
const invalid: TokenVerdict = { principal: null, failure: 'invalid_jwt' };
const expired: TokenVerdict = { principal: null, failure: 'token_expired' };

interface GoodToken {
  readonly principal: Principal;
  /** Seconds since 1970, leeway included; good up to and including this one. */
  readonly untilSecs: number;
}

/**
 * JSON Web Tokens (RFC 7519) that carry who a request speaks for. A token can't be taken back, so it should be short-lived;
 * changing the secret ends all of them.
 *
 * Good tokens are remembered by their hash until they expire: a signature check costs as much as the rest of a small request.
 */
export class WebTokens {
  private readonly options: WebTokenOptions;
  private readonly key: Promise<CryptoKey>;
  private readonly good: CountedCache<string, GoodToken>;

  constructor(options: WebTokenOptions) {
    this.options = options;
    const raw = new TextEncoder().encode(options.secret);
    // Imported once: jose would do so for each token, which takes longer than the check.
    this.key = crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    this.good = new CountedCache({ max: options.entriesMax });
  }

  get figures(): CacheFigures {
    return this.good.figures;
  }

  /** Never rejects for what a token contains. */
  async check(token: string): Promise<TokenVerdict> {
    const id = hash('sha256', token, 'hex');
    const good = this.good.get(id) ?? (await this.verify(token));
    if (good === null) return invalid;
    if (good.untilSecs < this.nowSecs()) {
      this.good.delete(id);
      return expired;
    }
    if (!this.good.has(id)) this.good.set(id, good);
    return { principal: good.principal };
  }

  private async verify(token: string): Promise<GoodToken | null> {
    const { issuer, audience } = this.options;
    const payload = await this.payloadOf(token);
    const claims = payload === null ? null : readClaims(payload, { issuer, audience });
    return claims === null
      ? null
      : { principal: claims.principal, untilSecs: claims.expiresSecs + leewaySecs };
  }

  /** What was signed; null unless our secret signed it. */
  private async payloadOf(token: string): Promise<Uint8Array | null> {
    const key = await this.key;
    try {
      // Not jwtVerify, which takes lists of audiences and enforces nbf; the claims' rules are in token-claims.ts.
      const { payload } = await compactVerify(token, key, { algorithms: ['HS256'] });
      return payload;
    } catch {
      return null; // Whatever went wrong, the signature was not seen to be good.
    }
  }

  private nowSecs(): number {
    return Number(this.options.clock.nowMicros() / 1_000_000n);
  }
}
