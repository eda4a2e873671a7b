import {
  adminKey,
  ingestBody,
  ingestInit,
  openGateway,
  type OpenedGateway,
  store1,
  tenantA,
} from '../support/open-gateway.ts';
import { RawConnection } from '../support/raw-connection.ts';

const authorized = { authorization: `ApiKey ${adminKey}` };
const storeQuery = `tenant_id=${tenantA}&store_id=${store1}`;

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.stop());

/** Sends one request as it is written and returns the response. */
async function raw(request: string, options: { toHead?: boolean } = {}) {
  const connection = await RawConnection.open(gateway.port);
  connection.send(request);
  const response = await connection.response(options);
  connection.destroy();
  return response;
}

describe('every response', () => {
  test.each<[string, string, RequestInit, number]>([
    ['a good answer', '/health', {}, 200],
    ['an unknown path', '/nowhere', {}, 404],
    ['a wrong method', '/health', { method: 'POST' }, 405],
    ['a missing key', '/api/v1/head', {}, 401],
    ['a bad query', '/api/v1/head', { headers: authorized }, 400],
    ['a wrong media type', '/api/v1/events/ingest', ingestInit('x', { 'content-type': 'text/plain' }), 415],
    ['a body that is too long', '/api/v1/events/ingest', ingestInit('x'.repeat(1_048_577)), 413],
  ])('has our headers: %s', async (_case, path, init, status) => {
    const response = await gateway.fetch(path, init);
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-request-id': expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
  });

  test.each([
    ['a short text', 'abc-123', true],
    ['text with spaces', 'a b', true],
    ['200 characters', 'x'.repeat(200), true],
    ['201 characters', 'x'.repeat(201), false],
    ['nothing', '', false],
    ['bytes beyond ASCII', 'caf\u00e9', false],
  ])('repeats the id of the caller only when it is readable: %s', async (_case, id, repeated) => {
    const response = await raw(`GET /health HTTP/1.1\r\nhost: x\r\nx-request-id: ${id}\r\n\r\n`);
    const given = response?.headers.get('x-request-id');
    if (repeated) expect(given).toBe(id);
    else expect(given).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('an unknown path', () => {
  test.each([
    '/',
    '/nowhere',
    '/health/',
    '/HEALTH',
    '//health',
    '/api/v1/head/',
    '/api/v1/health',
    '/live',
    '/api/v1/entities/order',
    '/api/v1/entities/order/1/2',
    '/api/v1/entities//1',
    '/list-aliases',
    '/~node/list',
    '/$node/list',
  ])('%s is 404 with an empty body, without a key', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'PATCH']) {
      const response = await raw(`${method} ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      expect([response?.status, response?.body]).toEqual([404, '']);
    }
  });
});

describe('a wrong method', () => {
  test.each([
    ['/health', 'GET, HEAD'],
    ['/ready', 'GET, HEAD'],
    ['/api/v1/head', 'GET, HEAD'],
    ['/api/v1/events', 'GET, HEAD'],
    ['/api/v1/entities/order/1', 'GET, HEAD'],
    ['/api/v1/events/ingest', 'POST'],
  ])('on %s is 405, empty, and names what is allowed', async (path, allow) => {
    for (const method of [
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'PROPFIND',
      ...(allow === 'POST' ? ['GET', 'HEAD'] : ['POST']),
    ]) {
      const response = await gateway.fetch(path, { method, headers: authorized });
      expect([method, response.status, response.headers.get('allow'), await response.text()]).toEqual([
        method,
        405,
        allow,
        '',
      ]);
    }
  });

  test('on a protected path asks for the key first', async () => {
    for (const method of ['PUT', 'OPTIONS', 'GET']) {
      const response = await gateway.fetch('/api/v1/events/ingest', { method });
      expect([method, response.status]).toEqual([method, 401]);
    }
  });
});

describe('HEAD', () => {
  test.each([
    '/health',
    '/ready',
    `/api/v1/head?${storeQuery}`,
    `/api/v1/events?${storeQuery}`,
    '/api/v1/head',
  ])('%s has the status and the headers of GET, and no body', async (path) => {
    // Not compressed: two times of the same length may compress to different ones.
    const headers = { ...authorized, 'accept-encoding': 'identity' };
    const get = await gateway.fetch(path, { headers });
    await get.text();
    const head = await gateway.fetch(path, { method: 'HEAD', headers });
    expect(head.status).toBe(get.status);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    expect(await head.text()).toBe('');
  });

  test('leaves the connection usable', async () => {
    const connection = await RawConnection.open(gateway.port);
    for (let request = 0; request < 3; request += 1) {
      connection.send('HEAD /health HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await connection.response({ toHead: true }))?.status).toBe(200);
    }
    connection.destroy();
  });
});

describe('compression', () => {
  const request = (encoding: string) =>
    `GET /health HTTP/1.1\r\nhost: x\r\n${encoding === '' ? '' : `accept-encoding: ${encoding}\r\n`}\r\n`;

  test.each([
    ['', null],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['deflate, gzip;q=0.5', 'gzip'],
    ['br', null],
    ['*', 'gzip'],
    ['identity, *;q=0', null],
    ['gzip;q=0', null],
    ['gzip;q=0.000, *', null],
    ['gzip;q=0.001', 'gzip'],
    [',;=, ,', null],
  ])('accept-encoding %j is answered with %p', async (encoding, coding) => {
    const response = await raw(request(encoding));
    expect(response?.headers.get('content-encoding') ?? null).toBe(coding);
  });

  test('leaves bodies of up to 32 bytes alone', async () => {
    const response = await gateway.fetch(`/api/v1/head?${storeQuery}`, { headers: authorized });
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toBe('{"head_sequence":0}');
  });

  test('works for bodies of every size', async () => {
    for (const size of [100, 20_000, 500_000]) {
      gateway.answerReadiness = () => Promise.resolve({ ready: false, reason: 'x'.repeat(size) });
      const response = await fetch(`${gateway.url}/ready`, { headers: { 'accept-encoding': 'gzip' } });
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(response.headers.get('vary')).toBe('accept-encoding');
      expect(Number(response.headers.get('content-length'))).toBeLessThan(size);
      expect((await response.text()).length).toBe(size);
    }
  });
});

describe('CORS', () => {
  test('is off unless origins are set', async () => {
    const response = await gateway.fetch('/health', { headers: { origin: 'https://shop.example' } });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each<[string[], string, string | null]>([
    [['*'], 'https://shop.example', '*'],
    [['https://shop.example', 'https://b.example'], 'https://shop.example', 'https://shop.example'],
    [['https://shop.example'], 'https://shop.example.evil', null],
    [['https://shop.example'], 'null', null],
  ])('with %j tells %s that %p is allowed', async (corsAllowOrigins, origin, allowed) => {
    const open = await openGateway({ settings: { corsAllowOrigins } });
    try {
      const preflight = await open.fetch('/api/v1/events/ingest', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect(preflight.status).toBe(200);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed);
      expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,POST,PUT,DELETE,OPTIONS');
      expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
      const answer = await open.fetch('/api/v1/head', { headers: { origin } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
      expect(answer.headers.get('access-control-expose-headers')).toBe(
        allowed === null ? null : 'x-request-id,x-error-code,retry-after',
      );
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    } finally {
      await open.stop();
    }
  });
});

describe('health', () => {
  test('is compact, and says who is healthy', async () => {
    const text = await (await gateway.fetch('/health')).text();
    expect(text).toMatch(/"status":"healthy"/);
    expect(JSON.parse(text)).toEqual({
      status: 'healthy',
      service: 'stateset-sequencer',
      version: '1.2.3',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/),
    });
  });

  test.each([
    [0, 8, 'healthy', '0.0%'],
    [1, 8, 'healthy', '12.5%'],
    [4, 8, 'moderate', '50.0%'],
    [8, 10, 'stressed', '80.0%'],
    [19, 20, 'critical', '95.0%'],
  ])('readiness with %i of %i connections busy is %s', async (active, max, status, utilization) => {
    gateway.answerReadiness = () =>
      Promise.resolve({
        ready: true,
        databaseResponseTimeMs: 1.4,
        pool: { active, idle: 2, max },
        cluster: 'alone',
      });
    const response = await gateway.fetch('/ready');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      database: { connected: true, response_time_ms: 1 },
      pool: { status, utilization, active, idle: 2 },
      cluster: 'alone',
    });
  });

  test('readiness without a pool, or cut off from the other nodes, says so', async () => {
    gateway.answerReadiness = () =>
      Promise.resolve({ ready: true, databaseResponseTimeMs: 0, pool: null, cluster: 'cut off' });
    expect(await (await gateway.fetch('/ready')).json()).toMatchObject({ pool: null, cluster: 'cut off' });
  });

  test('a node that is not ready answers 503 with the reason as text', async () => {
    gateway.answerReadiness = () => Promise.resolve({ ready: false, reason: 'the database does not answer' });
    const response = await gateway.fetch('/ready');
    expect([response.status, await response.text()]).toEqual([503, 'the database does not answer']);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});

test('a request that takes too long is answered with 504, empty on a text route and coded at ingest', async () => {
  const slow = await openGateway({ settings: { requestTimeoutMs: 150 } });
  try {
    slow.answerReadiness = () => new Promise(() => undefined);
    slow.answerAppend = () => new Promise(() => undefined);
    const ready = await slow.fetch('/ready');
    expect([ready.status, await ready.text()]).toEqual([504, '']);
    const ingest = await slow.fetch('/api/v1/events/ingest', ingestInit(ingestBody()));
    expect(ingest.status).toBe(504);
    expect(ingest.headers.get('x-error-code')).toBe('TIMEOUT');
    expect(await ingest.json()).toMatchObject({ error: { code: 'TIMEOUT', numeric_code: 8003 } });
  } finally {
    await slow.stop();
  }
});
