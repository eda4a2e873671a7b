import fc from 'fast-check';
import { openGateway, type OpenedGateway, store1, tenantA } from '../support/open-gateway.ts';
import { RawConnection } from '../support/raw-connection.ts';

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway({ settings: { bodyBytesMax: 4_096 } });
});
afterAll(() => gateway.stop());

const runs = { numRuns: 300 };

const paths = [
  '/api/v1/events',
  '/api/v1/head',
  '/api/v1/entities/a/b',
  '/health',
  '/ready',
  '/api/v1/events/ingest',
];
const names = ['tenant_id', 'store_id', 'from', 'limit', '__proto__', 'constructor', ''];
const values = [
  tenantA,
  store1,
  `{${tenantA}}`,
  `urn:uuid:${store1}`,
  '0',
  '1',
  '00',
  '-1',
  '1e3',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  "' or 1=1 --",
  '%00',
  '%ff',
  '%',
  '%2525',
  '\ufeff',
];
const text = fc.oneof(fc.constantFrom(...values), fc.string({ unit: 'binary', maxLength: 40 }));

/** What a request target may hold: visible bytes. Everything else is the parser's business. */
function visible(target: string): string {
  return Buffer.from(target, 'utf8')
    .toString('latin1')
    .replace(/[^\x21-\x7e\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('#', '%23');
}

/** Sends bytes, and expects one complete response that is no fault of ours, in bounded time. */
async function expectAnswer(bytes: string, allowed: (status: number) => boolean): Promise<void> {
  const connection = await RawConnection.open(gateway.port);
  const timer = setTimeout(() => connection.destroy(), 4_000);
  try {
    connection.send(Buffer.from(bytes, 'latin1'));
    const response = await connection.response({ toHead: bytes.startsWith('HEAD ') });
    expect(response).not.toBeNull();
    expect([response?.status, allowed(response?.status ?? 0)]).toEqual([response?.status, true]);
    expect(response?.headers.get('x-request-id')).toMatch(/^[\x20-\x7e]+$/);
    expect(response?.headers.get('cache-control')).toBe('no-store');
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}

const noFault = (status: number): boolean => status >= 200 && status < 500;

test('no query string makes the gateway fail or hang', async () => {
  const parameter = fc.tuple(fc.oneof(fc.constantFrom(...names), text), text, fc.boolean());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'HEAD'),
      fc.constantFrom(...paths),
      fc.array(parameter, { maxLength: 6 }),
      async (method, path, parameters) => {
        const query = parameters
          .map(([name, value, encoded]) => `${name}=${encoded ? encodeURIComponent(value) : value}`)
          .join('&');
        await expectAnswer(
          `${method} ${path}?${visible(query)} HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\n\r\n`,
          noFault,
        );
      },
    ),
    runs,
  );
});

test('no path makes the gateway fail or hang', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 5 }), async (parts) => {
      await expectAnswer(
        `GET /${visible(['api/v1/entities', ...parts].join('/'))} HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\n\r\n`,
        noFault,
      );
    }),
    runs,
  );
});

test('no header makes the gateway fail or hang', async () => {
  const name = fc.constantFrom(
    'authorization',
    'x-api-key',
    'x-request-id',
    'accept-encoding',
    'content-type',
    'content-encoding',
    'origin',
    'access-control-request-method',
    'if-none-match',
    'range',
    'connection',
    'upgrade',
    '__proto__',
  );
  const value = fc.oneof(
    fc.constantFrom(
      'ApiKey ss_admin',
      'Bearer x',
      'gzip;q=1',
      '*',
      'close',
      'application/json',
      'bytes=0-1',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 60 }).map((raw) => visible(raw)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'PATCH'),
      fc.constantFrom(...paths),
      fc.array(fc.tuple(name, value), { maxLength: 8 }),
      async (method, path, headers) => {
        const lines = headers.map((header) => header.join(': ')).join('\r\n');
        await expectAnswer(
          `${method} ${path} HTTP/1.1\r\nhost: x\r\n${lines}${lines === '' ? '' : '\r\n'}content-length: 2\r\n\r\n{}`,
          noFault,
        );
      },
    ),
    runs,
  );
});

test('no body makes the gateway fail or hang, and none that is unreadable reaches the owner as another store', async () => {
  const json = fc.json({ maxDepth: 4 });
  const body = fc.oneof(
    json,
    json.map((events) => `{"events":${events}}`),
    json.map((event) => `{"events":[${event}]}`),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.boolean(), async (raw, chunked) => {
      const bytes = Buffer.from(raw, 'utf8').toString('latin1');
      const framing = chunked
        ? `transfer-encoding: chunked\r\n\r\n${bytes === '' ? '' : `${bytes.length.toString(16)}\r\n${bytes}\r\n`}0\r\n\r\n`
        : `content-length: ${bytes.length}\r\n\r\n${bytes}`;
      gateway.appends.length = 0;
      await expectAnswer(
        `POST /api/v1/events/ingest HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\n` +
          `content-type: application/json\r\n${framing}`,
        (status) =>
          gateway.appends.length === 0 ? status === 200 || status === 400 || status === 422 : status === 200,
      );
    }),
    runs,
  );
});

test('no bytes make the server hang', async () => {
  const line = fc.constantFrom(
    'GET / HTTP/1.1',
    'host: x',
    'content-length: 3',
    'transfer-encoding: chunked',
    '',
    ' ',
    '\0',
    '5',
    'abc',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (lines) => {
      const connection = await RawConnection.open(gateway.port);
      const timer = setTimeout(() => connection.destroy(), 4_000);
      connection.send(`${lines.join('\r\n')}\r\n\r\n\r\n`);
      connection.finish();
      const response = await connection.response();
      clearTimeout(timer);
      connection.destroy();
      expect(response === null || noFault(response.status)).toBe(true);
    }),
    runs,
  );
  expect((await gateway.fetch('/health')).status).toBe(200);
});

afterAll(() => {
  expect(gateway.logLines.filter((line) => line.startsWith('error'))).toEqual([]);
});
