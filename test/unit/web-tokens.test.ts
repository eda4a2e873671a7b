import { createSign, generateKeyPairSync } from 'node:crypto';
import type { Micros } from '../../domain/types.ts';
import { WebTokens } from '../../services/access/web-tokens.ts';
import { base64url, claims, signToken, tokenSecret, tokenTenant } from '../support/web-tokens.ts';

const store = 'bbbbbbbb-0000-4000-8000-000000000001';
const otherStore = 'bbbbbbbb-0000-4000-8000-000000000002';
const agent = 'cccccccc-0000-4000-8000-000000000001';
const nowSecs = Math.floor(Date.now() / 1_000);

function openTokens(secret = tokenSecret) {
  const clock = { nowMs: Date.now() };
  const tokens = new WebTokens({
    secret,
    issuer: 'stateset-sequencer',
    audience: 'stateset-api',
    clock: { nowMicros: () => (BigInt(clock.nowMs) * 1_000n) as Micros, monotonicMs: () => clock.nowMs },
    entriesMax: 2,
  });
  return { tokens, clock };
}

const { tokens } = openTokens();

describe('a good token says who it speaks for', () => {
  const nobody = { tenantId: tokenTenant, storeIds: [], agentId: null, requestsPerMinuteMax: null };
  test.each<[string, Record<string, unknown>, object]>([
    ['what it may do', { perms: 'read,write,admin' }, { read: true, write: true, admin: true }],
    ['one permission', { perms: 'write' }, { read: false, write: true, admin: false }],
    ['no permission without the claim', { perms: undefined }, { read: false, write: false, admin: false }],
    ['no permission with null', { perms: null }, { read: false, write: false, admin: false }],
    ['permissions that are not trimmed', { perms: 'read, write' }, { read: true, write: false }],
    ['permissions in small letters only', { perms: 'READ,Write' }, { read: false, write: false }],
    ['permissions without regard to other words', { perms: 'read,fly' }, { read: true, write: false }],
    ['all stores without the claim', {}, { storeIds: [] }],
    ['all stores with an empty list', { stores: '' }, { storeIds: [] }],
    ['its stores', { stores: `${store},${otherStore}` }, { storeIds: [store, otherStore] }],
    ['a store once', { stores: `${store},${store}` }, { storeIds: [store] }],
    ['stores in other spellings', { stores: `{${store.toUpperCase()}}` }, { storeIds: [store] }],
    ['its agent', { agent }, { agentId: agent }],
    ['no agent with null', { agent: null }, { agentId: null }],
    ['its tenant in another spelling', { sub: `urn:uuid:${tokenTenant}` }, { tenantId: tokenTenant }],
  ])('%s', async (_what, fields, expected) => {
    expect(await tokens.check(signToken(claims(fields)))).toMatchObject({
      principal: { ...nobody, ...expected },
    });
  });

  test('though nbf and iat lie in the future', async () => {
    const token = signToken(claims({ nbf: nowSecs + 500, iat: nowSecs + 500 }));
    expect((await tokens.check(token)).principal).not.toBeNull();
  });
});

describe('a token is invalid', () => {
  const missing = ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'jti'].map(
    (name): [string, Record<string, unknown>] => [`without ${name}`, { [name]: undefined }],
  );
  test.each<[string, Record<string, unknown>]>([
    ...missing,
    ['with an audience in an array', { aud: ['stateset-api'] }],
    ['for another audience', { aud: 'stateset-ap' }],
    ['of another issuer', { iss: 'stateset-sequencer2' }],
    ['with an issuer in an array', { iss: ['stateset-sequencer'] }],
    ['with a subject that is no UUID', { sub: 'tenant-1' }],
    ['with a subject with a space', { sub: ` ${tokenTenant}` }],
    ['with a subject that is a number', { sub: 1 }],
    ['with exp as text', { exp: String(nowSecs + 600) }],
    ['with a fraction in exp', { exp: nowSecs + 600.5 }],
    ['with an exp beyond what numbers tell', { exp: 1e300 }],
    ['with iat as text', { iat: 'now' }],
    ['with nbf as null', { nbf: null }],
    ['with a jti that is a number', { jti: 7 }],
    ['with a store that is no UUID', { stores: `${store},x` }],
    ['with a comma at the end of its stores', { stores: `${store},` }],
    ['with a space among its stores', { stores: `${store}, ${otherStore}` }],
    ['with its stores in an array', { stores: [store] }],
    ['with an agent that is no UUID', { agent: 'agent-1' }],
    ['with an empty agent', { agent: '' }],
    ['with permissions in an array', { perms: ['read'] }],
  ])('%s', async (_what, fields) => {
    expect(await tokens.check(signToken(claims(fields)))).toEqual({
      principal: null,
      failure: 'invalid_jwt',
    });
  });

  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const unsigned = (header: object): string =>
    `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims()))}`;
  const rsa = (): string => {
    const signed = unsigned({ alg: 'RS256', typ: 'JWT' });
    return `${signed}.${createSign('sha256').update(signed).sign(privateKey, 'base64url')}`;
  };
  const good = signToken(claims());
  const [header = '', payload = '', signature = ''] = good.split('.');
  const last = signature.endsWith('A') ? 'Q' : 'A';

  test.each<[string, string]>([
    ['that is empty', ''],
    ['that is no token', 'aaa.bbb.ccc'],
    ['with two parts', `${header}.${payload}`],
    ['with four parts', `${good}.${signature}`],
    ['with nothing for a signature', `${header}.${payload}.`],
    ['of alg none without a signature', `${unsigned({ alg: 'none' })}.`],
    ['of alg None with a signature', signToken(claims(), { header: { alg: 'None', typ: 'JWT' } })],
    ['of alg none signed with the secret', signToken(claims(), { header: { alg: 'none', typ: 'JWT' } })],
    ['without alg', signToken(claims(), { header: { alg: undefined as never, typ: 'JWT' } })],
    ['of alg hs256', signToken(claims(), { header: { alg: 'hs256', typ: 'JWT' } })],
    ['of HS512', signToken(claims(), { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' })],
    ['of HS384 by name only', signToken(claims(), { header: { alg: 'HS384', typ: 'JWT' } })],
    ['of RS256, signed with a key of its own', rsa()],
    ['of RS256, signed with the secret', signToken(claims(), { header: { alg: 'RS256', typ: 'JWT' } })],
    ['of another secret', signToken(claims(), { secret: `${tokenSecret}x` })],
    ['of an empty secret', signToken(claims(), { secret: '' })],
    ['whose signature ends otherwise', `${header}.${payload}.${signature.slice(0, -1)}${last}`],
    ['with another payload under its signature', `${header}.${base64url('{}')}.${signature}`],
    ['with critical extensions', signToken(claims(), { header: { alg: 'HS256', crit: ['exp'] } as never })],
    [
      'with an unencoded payload',
      signToken(claims(), { header: { alg: 'HS256', b64: false, crit: ['b64'] } as never }),
    ],
    ['with a space before it', ` ${good}`],
    ['whose payload is an array', signToken([claims()])],
    ['whose payload is null', signToken('null')],
    ['whose payload is no JSON', signToken('{')],
    ['whose payload is not UTF-8', signToken(Uint8Array.of(0x22, 0xff, 0x22))],
  ])('%s', async (_what, token) => {
    expect(await tokens.check(token)).toEqual({ principal: null, failure: 'invalid_jwt' });
  });

  test('that RS256 confusion makes: HMAC under a public key', async () => {
    const confused = openTokens(publicPem).tokens;
    const token = signToken(claims(), { header: { alg: 'RS256', typ: 'JWT' }, secret: publicPem });
    expect(await confused.check(token)).toMatchObject({ failure: 'invalid_jwt' });
    expect(await confused.check(rsa())).toMatchObject({ failure: 'invalid_jwt' });
  });
});

describe('a token ends', () => {
  const expired = { principal: null, failure: 'token_expired' };

  test.each([
    ['a second before the leeway is over', -59, true],
    ['with the last second of the leeway', -60, true],
    ['after the leeway', -61, false],
    ['in 1970', -nowSecs, false],
    ['before 1970', -nowSecs - 1, false],
  ])('%s', async (_when, secs, good) => {
    const { tokens: fresh, clock } = openTokens();
    clock.nowMs = nowSecs * 1_000;
    const verdict = await fresh.check(signToken(claims({ exp: nowSecs + secs })));
    if (good) expect(verdict.principal).not.toBeNull();
    else expect(verdict).toEqual(expired);
  });

  test('although its verdict was remembered', async () => {
    const { tokens: fresh, clock } = openTokens();
    const token = signToken(claims({ exp: nowSecs + 10 }));
    expect((await fresh.check(token)).principal).not.toBeNull();
    clock.nowMs = (nowSecs + 70) * 1_000;
    expect((await fresh.check(token)).principal).not.toBeNull();
    clock.nowMs += 1_000;
    expect(await fresh.check(token)).toEqual(expired);
    expect(await fresh.check(token)).toEqual(expired);
  });

  test('as invalid when something else is wrong as well', async () => {
    const token = signToken(claims({ exp: nowSecs - 100, aud: 'x' }));
    expect(await tokens.check(token)).toMatchObject({ failure: 'invalid_jwt' });
  });
});

test('more tokens than are remembered are all judged right', async () => {
  const { tokens: fresh } = openTokens();
  const many = ['1', '2', '3', '4'].map((jti) => signToken(claims({ jti })));
  for (const token of [...many, ...many]) expect((await fresh.check(token)).principal).not.toBeNull();
});
