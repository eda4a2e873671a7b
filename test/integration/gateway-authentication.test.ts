import pg from 'pg';
import { bootstrapAdmin } from '../../domain/access.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { KeyCache } from '../../services/access/key-cache.ts';
import { systemClock } from '../../services/system-clock.ts';
import { MemoryApiKeys } from '../../storage/memory/memory-api-keys.ts';
import { postgresApiKeys } from '../../storage/postgres/api-keys.ts';
import {
  adminKey,
  bootstrapKey,
  openGateway,
  type OpenedGateway,
  store1,
  store2,
  tenantA,
  tenantB,
} from '../support/open-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let pool: pg.Pool;
let gateway: OpenedGateway;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  pool.on('error', () => undefined);
  gateway = await openGateway({ keys: postgresApiKeys(pool) });
  await gateway.addKey('ss_revoked');
  await gateway.keys.revoke(hashApiKey('ss_revoked'));
  await gateway.addKey('no_prefix');
});
afterAll(async () => {
  await gateway.stop();
  await pool.end();
  await database.drop();
});

function headPath(tenantId: string = tenantA, storeId: string = store1): string {
  return `/api/v1/head?tenant_id=${tenantId}&store_id=${storeId}`;
}

describe('credentials', () => {
  test.each<[string, Record<string, string>, number, string | null]>([
    ['the scheme ApiKey', { authorization: `ApiKey ${adminKey}` }, 200, null],
    ['a bare key', { authorization: adminKey }, 200, null],
    ['X-API-Key with a bare key', { 'x-api-key': adminKey }, 200, null],
    ['X-API-Key with the scheme', { 'x-api-key': `ApiKey ${adminKey}` }, 200, null],
    [
      'the bootstrap key under the scheme, whatever its prefix',
      { authorization: `ApiKey ${bootstrapKey}` },
      200,
      null,
    ],
    ['the bootstrap key bare', { authorization: bootstrapKey }, 200, null],
    ['the bootstrap key in X-API-Key', { 'x-api-key': bootstrapKey }, 200, null],
    ['nothing', {}, 401, 'missing_auth'],
    ['an empty header', { authorization: '' }, 401, 'missing_auth'],
    ['a bare key without the prefix', { authorization: 'no_prefix' }, 401, 'missing_auth'],
    ['X-API-Key without the prefix', { 'x-api-key': 'no_prefix' }, 401, 'missing_auth'],
    ['a scheme in lower case', { authorization: `apikey ${adminKey}` }, 401, 'missing_auth'],
    ['another scheme', { authorization: 'Basic c3M6' }, 401, 'missing_auth'],
    ['the scheme alone', { authorization: 'ApiKey' }, 401, 'missing_auth'],
    ['a stored key without the prefix', { authorization: 'ApiKey no_prefix' }, 401, 'invalid_api_key'],
    ['two spaces', { authorization: `ApiKey  ${adminKey}` }, 401, 'invalid_api_key'],
    ['an unknown key', { authorization: 'ApiKey ss_unknown' }, 401, 'invalid_api_key'],
    ['an unknown bare key', { authorization: 'ss_unknown' }, 401, 'invalid_api_key'],
    ['a revoked key', { authorization: 'ApiKey ss_revoked' }, 401, 'invalid_api_key'],
    ['a key and something after it', { authorization: `ApiKey ${adminKey} x` }, 401, 'invalid_api_key'],
    ['a key in another case', { authorization: `ApiKey ${adminKey.toUpperCase()}` }, 401, 'invalid_api_key'],
    ['a key as a bearer token', { authorization: `Bearer ${adminKey}` }, 200, null],
    ['an unknown key as a bearer token', { authorization: 'Bearer ss_unknown' }, 401, 'invalid_api_key'],
    ['the bootstrap key as a bearer token', { authorization: `Bearer ${bootstrapKey}` }, 401, 'invalid_jwt'],
    ['a token', { authorization: 'Bearer aaa.bbb.ccc' }, 401, 'invalid_jwt'],
    ['a bearer token in X-API-Key', { 'x-api-key': 'Bearer aaa.bbb.ccc' }, 401, 'invalid_jwt'],
    [
      'a good X-API-Key beside a bad Authorization',
      { authorization: 'Basic x', 'x-api-key': adminKey },
      401,
      'missing_auth',
    ],
    ['bytes beyond ASCII', { authorization: 'ApiKey ss_caf\u00e9' }, 401, 'missing_auth'],
  ])('%s', async (_form, headers, status, code) => {
    const response = await gateway.fetch(headPath(), { headers });
    expect(response.status).toBe(status);
    if (code === null) return;
    expect(await response.json()).toEqual({ error: expect.any(String), code });
    expect(response.headers.get('content-type')).toBe('application/json');
  });
});

describe('what a key may read', () => {
  test.each<[string, object, string, number, string]>([
    ['its tenant', { tenantId: tenantA, admin: false }, headPath(), 200, ''],
    ['another tenant', { tenantId: tenantA, admin: false }, headPath(tenantB), 403, 'another tenant'],
    ['a listed store', { tenantId: tenantA, admin: false, storeIds: [store1] }, headPath(), 200, ''],
    [
      'a store not listed',
      { tenantId: tenantA, admin: false, storeIds: [store1] },
      headPath(tenantA, store2),
      403,
      'other stores',
    ],
    ['nothing, without the flag', { tenantId: tenantA, read: false }, headPath(), 403, 'no read permission'],
    ['nothing, as a bootstrap administrator without the flag', { read: false }, headPath(), 403, 'no read'],
    ['any tenant, as bootstrap administrator', {}, headPath(tenantB), 200, ''],
  ])('%s', async (name, principal, path, status, sentence) => {
    const key = `ss_${name}`;
    await gateway.addKey(key, principal);
    const response = await gateway.fetch(path, { headers: { authorization: `ApiKey ${key}` } });
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(sentence);
    if (status === 403) expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});

test('keys that can not be looked up are 503, in the form of the gate', async () => {
  const keys = new MemoryApiKeys();
  const open = await openGateway({ keys });
  try {
    keys.reachable = false;
    const response = await open.fetch(headPath(), { headers: { authorization: `ApiKey ${adminKey}` } });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toEqual({ error: expect.any(String), code: 'auth_backend_unavailable' });
  } finally {
    await open.stop();
  }
});

describe('disabled authentication', () => {
  test('honours good credentials and makes everyone else the administrator', async () => {
    const open = await openGateway({ authDisabled: true });
    try {
      await open.addKey('ss_narrow', { tenantId: tenantB, admin: false });
      const statuses = await Promise.all(
        [
          {},
          { authorization: 'ApiKey ss_unknown' },
          { authorization: 'Bearer x' },
          { authorization: 'Basic x' },
          { authorization: 'ApiKey ss_narrow' },
        ].map(async (headers) => (await open.fetch(headPath(), { headers })).status),
      );
      expect(statuses).toEqual([200, 200, 200, 200, 403]);
    } finally {
      await open.stop();
    }
  });
});

test('a revocation in the database acts through the cache, long before its entry ends', async () => {
  const keys = postgresApiKeys(pool);
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const cache = new KeyCache({ keys, clock: systemClock, log, entriesMax: 10, ttlMs: 60_000 });
  const polling = cache.startPolling();
  try {
    const hash = hashApiKey('ss_to_be_revoked');
    await keys.insertKey(hash, bootstrapAdmin);
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
    await pool.query('update api_keys set active = false where key_hash = $1', [hash]);
    await until('the key is refused', async () => (await cache.find(hash)) === null);
  } finally {
    polling.stop();
  }
});

function ignore(): void {
  // This test looks at answers, not at the log.
}
