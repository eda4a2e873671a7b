import fc from 'fast-check';
import type { Micros } from '../../domain/types.ts';
import { WebTokens } from '../../services/access/web-tokens.ts';
import {
  adminKey,
  bootstrapKey,
  openGateway,
  type OpenedGateway,
  store1,
  tenantA,
} from '../support/open-gateway.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { base64url, claims, signToken, tokenSecret, tokenTenant } from '../support/web-tokens.ts';

const tokens = new WebTokens({
  secret: tokenSecret,
  issuer: 'stateset-sequencer',
  audience: 'stateset-api',
  clock: { nowMicros: () => (BigInt(Date.now()) * 1_000n) as Micros, monotonicMs: () => performance.now() },
  entriesMax: 100,
});

let gateway: OpenedGateway;
let connection: RawConnection | null = null;
beforeAll(async () => {
  gateway = await openGateway({ checkToken: (token) => tokens.check(token) });
});
afterAll(async () => {
  connection?.destroy();
  await gateway.stop();
});

const runs = { numRuns: 400 };
const path = `/api/v1/head?tenant_id=${tenantA}&store_id=${store1}`;

/** Sends header lines as they are, and expects an answer that is no fault of ours. */
async function statusOf(lines: readonly string[]): Promise<number> {
  connection = await RawConnection.open(gateway.port);
  try {
    const request = [`GET ${path} HTTP/1.1`, 'host: x', 'connection: close', ...lines, '', ''].join('\r\n');
    connection.send(Buffer.from(request, 'latin1'));
    const response = await connection.response();
    expect(response).not.toBeNull();
    return response?.status ?? 0;
  } finally {
    connection.destroy();
  }
}

const scheme = fc.constantFrom(
  'ApiKey ',
  'Bearer ',
  'apikey ',
  'Basic ',
  'Bearer  ',
  'Bearer\t',
  'ApiKey',
  'ss_',
  '',
);
/** What a header may carry at all: the parser refuses the rest. */
const headerText = fc
  .string({ unit: 'binary', maxLength: 200 })
  .map((text) => text.replace(/[^\x20-\x7e\x80-\xff\t]/g, ''));
const known = fc.constantFrom(adminKey, bootstrapKey, signToken(claims()), signToken(claims({ exp: 1 })), '');
const cut = fc.tuple(known, fc.nat(300), headerText).map(([text, at, rest]) => text.slice(0, at) + rest);

test('any header that is no credential is 401, and nothing is 500', async () => {
  const name = fc.constantFrom('authorization', 'Authorization', 'x-api-key', 'X-API-KEY');
  const line = fc
    .tuple(name, scheme, fc.oneof(headerText, cut))
    .map((parts) => parts as [string, string, string]);
  const goodValues = new Set([adminKey, bootstrapKey]);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 3 }), async (lines) => {
      const status = await statusOf(lines.map(([header, start, text]) => `${header}: ${start}${text}`));
      const mayBeGood = lines.some(([, , text]) => goodValues.has(text.trim()) || text.includes('.'));
      expect([401, ...(mayBeGood ? [200, 403] : [])]).toContain(status);
    }),
    runs,
  );
});

const claimValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    tokenTenant,
    `${tokenTenant},${tokenTenant}`,
    ',',
    '',
    null,
    0,
    -1,
    1e15,
    1e308,
    4_102_444_800,
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const claimName = fc.constantFrom(
  ...[
    'sub',
    'iss',
    'aud',
    'exp',
    'iat',
    'nbf',
    'jti',
    'stores',
    'agent',
    'perms',
    '__proto__',
    'constructor',
  ],
);

test('a signed token with any claims is judged, and gives no tenant that it does not name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(claimName, claimValue), { maxLength: 6 }), async (changes) => {
      const payload = Object.assign(
        claims(),
        Object.fromEntries(changes.filter(([name]) => name !== '__proto__')),
      );
      const verdict = await tokens.check(signToken(payload));
      if (verdict.principal === null) expect(['invalid_jwt', 'token_expired']).toContain(verdict.failure);
      else {
        expect(verdict.principal.tenantId).toBe(tokenTenant);
        expect(verdict.principal.requestsPerMinuteMax).toBeNull();
        const may = new Set((typeof payload.perms === 'string' ? payload.perms : '').split(','));
        const { read, write, admin } = verdict.principal;
        expect([read, write, admin]).toEqual(['read', 'write', 'admin'].map((word) => may.has(word)));
      }
    }),
    runs,
  );
});

test('a token that was not signed with the secret is invalid, whatever its parts are', async () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.json({ maxDepth: 3 }).map(base64url),
    fc
      .record({
        alg: fc.constantFrom('none', 'HS256', 'HS512', 'RS256', 'ES256', '', null),
        crit: fc.jsonValue(),
        b64: fc.boolean(),
      })
      .map((header) => base64url(JSON.stringify(header))),
    fc.constantFrom(...signToken(claims()).split('.').slice(0, 2), ''),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => base64url(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      expect(await tokens.check(parts.join('.'))).toEqual({ principal: null, failure: 'invalid_jwt' });
    }),
    { numRuns: 2_000 },
  );
});

test('a token with any one character changed speaks for nobody else', async () => {
  const good = signToken(claims());
  const digit = fc.constantFrom(...'ABCXYZabcxyz0189-_.=+/ ');
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), digit, async (at, character) => {
      const verdict = await tokens.check(good.slice(0, at) + character + good.slice(at + 1));
      // The last digit of a signature has two bits that say nothing.
      expect(verdict.principal?.tenantId ?? tokenTenant).toBe(tokenTenant);
      if (at < good.length - 1 && good[at] !== character) expect(verdict.principal).toBeNull();
    }),
    runs,
  );
});
