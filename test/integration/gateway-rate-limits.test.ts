import { RateLimiter } from '../../services/limits/rate-limiter.ts';
import { requestLimits } from '../../services/limits/request-limits.ts';
import { systemClock } from '../../services/system-clock.ts';
import { memoryPoints } from '../../storage/memory/memory-points.ts';
import { adminKey, ingestBody, ingestInit, openGateway, tenantA } from '../support/open-gateway.ts';

function limitsOf(tenantRequestsMax: number | null) {
  const open = () =>
    new RateLimiter({ source: memoryPoints(), windowMs: 60_000, entriesMax: 100, clock: systemClock });
  return requestLimits({ perTenant: open(), perCredential: open(), tenantRequestsMax });
}

const authorized = (key: string) => ({ headers: { authorization: `ApiKey ${key}` } });
const limitHeaders = (response: Response) =>
  ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => response.headers.get(name));
const headPath = `/api/v1/head?tenant_id=${tenantA}&store_id=${tenantA}`;

test('a caller over the limit gets 429 in the form of the gate, with the time to wait', async () => {
  const gateway = await openGateway({ limits: limitsOf(1) });
  try {
    expect((await gateway.fetch(headPath, authorized(adminKey))).status).toBe(200);
    const response = await gateway.fetch(headPath, authorized(adminKey));
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({ error: expect.any(String), code: 'rate_limited' });
    const [limit, remaining, reset] = limitHeaders(response);
    expect([limit, remaining]).toEqual(['1', '0']);
    expect(Number(reset)).toBeGreaterThan(50);
    expect(Number(reset)).toBeLessThanOrEqual(60);
    expect(response.headers.get('retry-after')).toBe(reset);
  } finally {
    await gateway.stop();
  }
});

test('every answer to an authenticated caller tells the limit, and no other answer does', async () => {
  const gateway = await openGateway({ limits: limitsOf(1_000) });
  try {
    const answers: [string, RequestInit, number][] = [
      [headPath, authorized(adminKey), 200],
      ['/api/v1/head', authorized(adminKey), 400],
      ['/api/v1/events/ingest', authorized(adminKey), 405],
      ['/api/v1/events/ingest', ingestInit(ingestBody()), 200],
      ['/api/v1/events/ingest', ingestInit('{'), 400],
      ['/api/v1/events/ingest', ingestInit('x', { 'content-type': 'text/plain' }), 415],
      ['/metrics', authorized(adminKey), 200],
    ];
    for (const [index, [path, init, status]] of answers.entries()) {
      const response = await gateway.fetch(path, init);
      expect(response.status).toBe(status);
      expect(limitHeaders(response).slice(0, 2)).toEqual(['1000', String(999 - index)]);
    }
    for (const [path, init] of [
      ['/health', {}],
      ['/nowhere', authorized(adminKey)],
      [headPath, {}],
      [headPath, authorized('ss_unknown')],
    ] as const) {
      expect(limitHeaders(await gateway.fetch(path, init))).toEqual([null, null, null]);
    }
  } finally {
    await gateway.stop();
  }
});

test('without a limit nothing is told', async () => {
  const gateway = await openGateway({ limits: limitsOf(null) });
  try {
    expect(limitHeaders(await gateway.fetch(headPath, authorized(adminKey)))).toEqual([null, null, null]);
  } finally {
    await gateway.stop();
  }
});

test('the limit of a key is its own, and counts before the body is looked at', async () => {
  const gateway = await openGateway({ limits: limitsOf(null) });
  try {
    await gateway.addKey('ss_one', { requestsPerMinuteMax: 1 });
    await gateway.addKey('ss_other', { requestsPerMinuteMax: 1 });
    const post = (key: string) =>
      gateway.fetch('/api/v1/events/ingest', ingestInit(ingestBody(), { authorization: `ApiKey ${key}` }));
    expect((await post('ss_one')).status).toBe(200);
    expect((await post('ss_one')).status).toBe(429);
    expect((await post('ss_other')).status).toBe(200);
    expect((await post(adminKey)).status).toBe(200);
    expect(gateway.appends).toHaveLength(3);
  } finally {
    await gateway.stop();
  }
});
