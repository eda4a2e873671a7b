import { RegistrationLimiter } from '../../services/gateway/registration-limiter.ts';
import { RateLimiter } from '../../services/limits/rate-limiter.ts';
import { systemClock } from '../../services/system-clock.ts';
import { memoryPoints } from '../../storage/memory/memory-points.ts';
import { openGateway, type OpenedGateway } from '../support/open-gateway.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openVesNode } from '../support/ves-node.ts';

const path = '/api/v1/agents/register';

function openLimiter(requestsPerMinuteMax: number, addressesMax = 10): RegistrationLimiter {
  const limiter = new RateLimiter({
    source: memoryPoints(),
    windowMs: 60_000,
    entriesMax: addressesMax,
    clock: systemClock,
  });
  return new RegistrationLimiter({ limiter, requestsPerMinuteMax });
}

function init(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

describe('an agent that registers', () => {
  test('gets a key in a tenant of its own, with the limit in the headers and an entry in the audit log', async () => {
    const database = await createTestDatabase();
    const node = await openVesNode(database.url, { env: { PUBLIC_AGENT_REGISTRATION_ENABLED: 'true' } });
    try {
      const storeId = '00000000-0000-4000-8000-000000000001';
      const body = { name: ' stock bot ', description: 'counts', storeIds: [storeId], rateLimit: 10_000 };
      const answer = await fetch(node.url + path, init(body));
      expect(answer.status).toBe(200);
      const registered = (await answer.json()) as Record<string, string>;
      expect(registered).toEqual({
        success: true,
        agentId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        tenantId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        apiKey: expect.stringMatching(new RegExp(`^ss_${registered.tenantId?.slice(0, 8)}.{32}$`)),
        permissions: 'read_write',
        message: expect.any(String),
      });
      expect(answer.headers.get('ratelimit-limit')).toBe('30');
      expect(answer.headers.get('ratelimit-remaining')).toBe('29');
      expect(answer.headers.get('ratelimit-reset')).toBe('60');

      const { agentId, tenantId, apiKey } = registered;
      const told = await node.send('GET', `/api/v1/agents/${agentId}`, undefined, apiKey);
      expect(told.json).toMatchObject({ tenantId, storeIds: [storeId], rateLimit: 10_000 });
      const readOnly = await fetch(node.url + path, init({ name: 'x', readOnly: true }));
      const second = (await readOnly.json()) as Record<string, string>;
      expect(second.permissions).toBe('read');
      expect(second.tenantId).not.toBe(tenantId);

      const entries = await node.storage.auditEntries.list(
        { tenantId: tenantId as never, action: null, from: null, to: null },
        { after: null, limit: 10 },
      );
      expect(entries).toMatchObject([
        {
          action: 'custom:agent_registered',
          actor: 'self_service',
          actorType: 'public',
          resourceId: agentId,
          ipAddress: '127.0.0.1',
          details: { name: 'stock bot', permissions: 'read_write' },
        },
      ]);
      const metrics = (await node.send('GET', '/metrics')).text;
      expect(metrics).toContain(
        'sequencer_agent_registration_total{outcome="success",reason="REGISTERED"} 2',
      );
    } finally {
      await node.close();
      await database.drop();
    }
  });
});

describe('a registration is refused', () => {
  let gateway: OpenedGateway;
  beforeAll(async () => {
    const registrationLimiter = openLimiter(1_000);
    gateway = await openGateway({ registrationLimiter });
  });
  afterAll(() => gateway.stop());

  const stores = Array.from({ length: 51 }, () => '00000000-0000-4000-8000-000000000001');
  const good = { name: 'x' };
  const everything = {
    name: ' ',
    description: 'é'.repeat(513),
    storeIds: stores,
    rateLimit: 0,
    tenantId: stores[0],
    admin: true,
  };
  test.each<[string, object, number, string]>([
    ['without a name', { name: '' }, 400, 'INVALID_NAME'],
    ['with a blank name, before anything else', everything, 400, 'INVALID_NAME'],
    ['with a long name', { ...everything, name: 'é'.repeat(65) }, 400, 'NAME_TOO_LONG'],
    ['with a long description', { ...everything, name: 'x' }, 400, 'DESCRIPTION_TOO_LONG'],
    ['with many stores', { ...everything, name: 'x', description: 'x' }, 400, 'STORE_IDS_TOO_MANY'],
    ['with a limit of 0', { ...good, rateLimit: 0, tenantId: stores[0] }, 400, 'RATE_LIMIT_INVALID'],
    ['with a high limit', { ...good, rateLimit: 10_001 }, 400, 'RATE_LIMIT_INVALID'],
    ['with a tenant', { ...good, tenantId: stores[0], admin: true }, 400, 'TENANT_ID_NOT_ALLOWED'],
    ['as an administrator', { ...good, admin: true }, 403, 'ADMIN_NOT_ALLOWED'],
  ])('%s', async (_how, body, status, code) => {
    const answer = await gateway.fetch(path, init(body));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ success: false, error: expect.any(String), code });
    expect(gateway.registrations.at(-1)).toBe(`error ${code}`);
  });

  test.each<[string, object]>([
    ['name', { name: 'é'.repeat(64), description: null, storeIds: null, tenantId: null, rateLimit: null }],
    ['description', { ...good, description: 'é'.repeat(512), admin: false }],
    ['list of stores', { ...good, storeIds: stores.slice(1), rateLimit: 1 }],
  ])('but not with the longest %s', async (_what, body) => {
    expect((await gateway.fetch(path, init(body))).status).toBe(200);
  });

  test.each<[string, string, number]>([
    ['that lacks a name', '{}', 422],
    ['whose name is null', '{"name":null}', 422],
    ['whose name is a number', '{"name":1}', 422],
    ['with a limit that is text', '{"name":"x","rateLimit":"1"}', 422],
    ['that is no JSON', 'name=x', 400],
  ])('%s', async (_what, body, status) => {
    expect((await gateway.fetch(path, init(body))).status).toBe(status);
  });

  test('by another method, to everyone', async () => {
    const answer = await gateway.fetch(path);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('where it is off, before its body is looked at', async () => {
    const closed = await openGateway();
    try {
      const answer = await closed.fetch(path, init('not JSON'));
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ success: false, code: 'REGISTRATION_DISABLED' });
      expect((await closed.fetch('/v1/agents/register', init(good))).status).toBe(404);
    } finally {
      await closed.stop();
    }
  });

  test('beyond the limit of its address, good or bad, before its body is looked at', async () => {
    const registrationLimiter = openLimiter(3);
    const limited = await openGateway({
      registrationLimiter,
      settings: { trustProxyHeaders: true, trustedProxies: ['127.0.0.0/8'] },
    });
    try {
      const send = (address: string, body: unknown = good) =>
        limited.fetch(path, init(body, { 'x-forwarded-for': address }));
      const statuses: number[] = [];
      for (const body of [good, { name: '' }, good, 'not JSON']) {
        statuses.push((await send('192.0.2.1', body)).status);
      }
      expect(statuses).toEqual([200, 400, 200, 429]);
      const answer = await send('192.0.2.1');
      expect(await answer.json()).toMatchObject({ success: false, code: 'RATE_LIMIT_EXCEEDED' });
      expect(answer.headers.get('ratelimit-limit')).toBe('3');
      expect(answer.headers.get('ratelimit-remaining')).toBe('0');
      const reset = answer.headers.get('ratelimit-reset');
      expect(Number(reset)).toBeGreaterThan(50);
      expect(answer.headers.get('retry-after')).toBe(reset);
      expect((await send('192.0.2.2')).status).toBe(200);
      for (const host of ['1', '2', '3']) expect((await send(`2001:db8:1:2::${host}`)).status).toBe(200);
      expect((await send('2001:db8:1:2:ffff::4')).status).toBe(429);
      expect((await send('2001:db8:1:3::1')).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

test('the limiter forgets the address that was quiet longest when there are too many', async () => {
  const limiter = openLimiter(1, 2);
  const allowed = async (address: string): Promise<boolean> => (await limiter.take(address)).isAllowed;
  expect(await allowed('192.0.2.1')).toBe(true);
  expect(await allowed('192.0.2.2')).toBe(true);
  expect(await allowed('192.0.2.1')).toBe(false);
  expect(await allowed('192.0.2.3')).toBe(true);
  expect(await allowed('192.0.2.1')).toBe(false);
  expect(await allowed('192.0.2.2')).toBe(true);
});
