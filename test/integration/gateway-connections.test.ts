import { ingestBody, noEvents, openGateway, type OpenedGateway } from '../support/open-gateway.ts';
import type { AppendReply } from '../../services/contracts.ts';
import { RawConnection } from '../support/raw-connection.ts';

const ingest = 'POST /api/v1/events/ingest HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\n';
const json = 'content-type: application/json\r\n';
const body = ingestBody();
const goodRequest = `${ingest}${json}content-length: ${body.length}\r\n\r\n${body}`;

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
beforeEach(() => {
  gateway.appends.length = 0;
});
afterAll(() => gateway.stop());

async function withConnection<Result>(
  use: (connection: RawConnection) => Promise<Result>,
  port: number = gateway.port,
): Promise<Result> {
  const connection = await RawConnection.open(port);
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

describe('what is no HTTP', () => {
  test.each<[string, string, number]>([
    ['a word', 'hello\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['HTTP of another version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
    ['an unknown method', 'FROB / HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n', 400],
    ['a header with a control character', 'GET / HTTP/1.1\r\nhost: x\r\nx: a\x01b\r\n\r\n', 400],
    ['a length that is no number', `${ingest}${json}content-length: ten\r\n\r\n`, 400],
    ['a negative length', `${ingest}${json}content-length: -1\r\n\r\n`, 400],
    ['two lengths', `${ingest}${json}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, 400],
    ['a length and chunks', `${ingest}${json}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`, 400],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405],
  ])('%s is refused with our headers, and the connection ends', async (_case, request, status) => {
    await withConnection(async (connection) => {
      connection.send(Buffer.from(request, 'latin1'));
      const response = await connection.response();
      expect(response?.status).toBe(status);
      expect(Object.fromEntries(response?.headers ?? [])).toMatchObject({
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        connection: 'close',
      });
      await connection.end();
    });
  });

  test('holds no connection open, even for a client that never closes', async () => {
    await withConnection(async (connection) => {
      connection.send('hello\r\n\r\n');
      expect((await connection.response())?.status).toBe(400);
      await connection.reset();
    });
  });

  test('a request without a host is 400, and the connection goes on', async () => {
    await withConnection(async (connection) => {
      connection.send('GET /health HTTP/1.1\r\n\r\n');
      expect((await connection.response())?.status).toBe(400);
      connection.send('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test('HTTP/1.0 needs no host', async () => {
    await withConnection(async (connection) => {
      connection.send('GET /health HTTP/1.0\r\n\r\n');
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test('a wish to change the protocol is ignored', async () => {
    await withConnection(async (connection) => {
      connection.send('GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
      expect((await connection.response())?.status).toBe(200);
    });
  });
});

describe('a body', () => {
  test('in chunks arrives whole', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}transfer-encoding: chunked\r\n\r\n`);
      for (let at = 0; at < body.length; at += 100) {
        const chunk = body.slice(at, at + 100);
        connection.send(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      }
      connection.send('0\r\n\r\n');
      expect((await connection.response())?.status).toBe(200);
      expect(Buffer.from(gateway.appends[0]?.body ?? []).toString()).toBe(body);
    });
  });

  test('in drops of known length arrives whole', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}content-length: ${body.length}\r\n\r\n`);
      for (let at = 0; at < body.length; at += 50) {
        connection.send(body.slice(at, at + 50));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await connection.response())?.status).toBe(200);
      expect(Buffer.from(gateway.appends[0]?.body ?? []).toString()).toBe(body);
    });
  });

  test('whose chunks break off is 400, and nothing of it is used', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}transfer-encoding: chunked\r\n\r\n5\r\n{"eve\r\nzz\r\n`);
      expect((await connection.response())?.status).toBe(400);
      await connection.end();
      expect(gateway.appends).toEqual([]);
    });
  });

  test('is asked for when the client waits for that', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}expect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`);
      expect((await connection.response())?.status).toBe(100);
      connection.send(body);
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test.each<[string, string, number]>([
    ['no key', `${json}`, 401],
    ['another type', `authorization: ss_admin\r\ncontent-type: text/plain\r\n`, 415],
    ['too long a body', `authorization: ss_admin\r\n${json}`, 413],
  ])('is not asked for when the request is refused already: %s', async (_case, headers, status) => {
    await withConnection(async (connection) => {
      connection.send(
        `POST /api/v1/events/ingest HTTP/1.1\r\nhost: x\r\n${headers}expect: 100-continue\r\n` +
          `content-length: ${status === 413 ? 99_999_999 : 10}\r\n\r\n`,
      );
      const response = await connection.response();
      expect([response?.status, response?.headers.get('connection')]).toEqual([status, 'close']);
      await connection.end();
    });
  });

  test('that was refused unread does not spoil the next request', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}content-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n`);
      expect((await connection.response())?.status).toBe(415);
      connection.send(body);
      connection.send(goodRequest);
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test('longer than any that is taken is refused before it is sent, and cut off when it comes all the same', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}content-length: 100000000\r\n\r\n`);
      expect((await connection.response())?.status).toBe(413);
      for (let sent = 0; sent < 40; sent += 1) connection.send('x'.repeat(65_536));
      await connection.end();
    });
  });

  test('without a length is refused once it is too long', async () => {
    await withConnection(async (connection) => {
      connection.send(`${ingest}${json}transfer-encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent < 17; sent += 1) connection.send(`10000\r\n${'x'.repeat(65_536)}\r\n`);
      const response = await connection.response();
      expect([response?.status, response?.headers.get('content-type')]).toEqual([
        413,
        'text/plain; charset=utf-8',
      ]);
      connection.send('0\r\n\r\n');
      connection.send(goodRequest);
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test('that nobody asked for is ignored', async () => {
    await withConnection(async (connection) => {
      connection.send('GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello');
      expect((await connection.response())?.status).toBe(200);
      connection.send('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await connection.response())?.status).toBe(200);
    });
  });

  test.each([
    ['half of it', ingestBody().slice(0, 40)],
    ['nothing of it', ''],
  ])('of which %s comes gets a 504 when the time is over, and loses the connection', async (_part, part) => {
    const slow = await openGateway({ settings: { requestTimeoutMs: 200 } });
    try {
      await withConnection(async (connection) => {
        connection.send(`${ingest}${json}content-length: ${body.length}\r\n\r\n${part}`);
        const response = await connection.response();
        expect([response?.status, response?.headers.get('x-error-code')]).toEqual([504, 'TIMEOUT']);
        const answeredMs = performance.now();
        await connection.end();
        expect(performance.now() - answeredMs).toBeLessThan(9_000);
        expect(slow.appends).toEqual([]);
      }, slow.port);
    } finally {
      await slow.stop();
    }
  });

  test('that is complete only after the 504 is not appended', async () => {
    const slow = await openGateway({ settings: { requestTimeoutMs: 200 } });
    try {
      await withConnection(async (connection) => {
        connection.send(`${ingest}${json}content-length: ${body.length}\r\n\r\n${body.slice(0, -1)}`);
        expect((await connection.response())?.status).toBe(504);
        connection.send(body.slice(-1));
        connection.send(goodRequest);
        expect((await connection.response())?.status).toBe(200);
        expect(slow.appends).toHaveLength(1);
      }, slow.port);
    } finally {
      await slow.stop();
    }
  });
});

test('senders that are too slow are given up with 408, and their connections end', async () => {
  const patient = await openGateway({ settings: { requestTimeoutMs: 30_000 } });
  const slow: Record<string, RawConnection> = {};
  for (const name of ['silent', 'half the headers', 'a drop a second']) {
    slow[name] = await RawConnection.open(patient.port);
  }
  slow['half the headers']?.send(ingest);
  slow['a drop a second']?.send(`${ingest}${json}content-length: ${body.length}\r\n\r\n`);
  const drops = setInterval(() => slow['a drop a second']?.send('x'), 1_000);
  try {
    const startedMs = performance.now();
    for (const connection of Object.values(slow)) {
      const response = await connection.response();
      expect([response?.status, response?.headers.get('content-type')]).toEqual([
        408,
        'text/plain; charset=utf-8',
      ]);
      await connection.end();
    }
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(patient.appends).toEqual([]);
    expect((await patient.fetch('/health')).status).toBe(200);
  } finally {
    clearInterval(drops);
    await patient.stop();
  }
});

test('requests sent without waiting for answers are answered in order', async () => {
  await withConnection(async (connection) => {
    connection.send(`${goodRequest}GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n${goodRequest}`);
    const statuses = [];
    for (let answer = 0; answer < 3; answer += 1) statuses.push((await connection.response())?.status);
    expect(statuses).toEqual([200, 404, 200]);
  });
});

describe('a stop', () => {
  test('answers what is held, takes no new connection, and keeps none open', async () => {
    const stopping = await openGateway();
    const { promise, resolve } = Promise.withResolvers<AppendReply>();
    stopping.answerAppend = () => promise;
    const idle = await RawConnection.open(stopping.port);
    idle.send('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    await idle.response();
    const busy = await RawConnection.open(stopping.port);
    busy.send(goodRequest);
    while (stopping.appends.length === 0) await new Promise((wait) => setTimeout(wait, 5));
    const stopped = stopping.stop();
    await idle.end();
    await expect(RawConnection.open(stopping.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    resolve(noEvents);
    const response = await busy.response();
    expect([response?.status, response?.headers.get('connection')]).toEqual([200, 'close']);
    await busy.end();
    await stopped;
  });

  test('does not wait for connections on which nothing was ever sent', async () => {
    const stopping = await openGateway({ settings: { drainTimeoutMs: 30_000 } });
    const silent = await RawConnection.open(stopping.port);
    const startedMs = performance.now();
    await stopping.stop();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await silent.end();
  });

  test('does not wait for ever', async () => {
    const stopping = await openGateway({ settings: { drainTimeoutMs: 200 } });
    stopping.answerAppend = () => new Promise(() => undefined);
    const busy = await RawConnection.open(stopping.port);
    busy.send(goodRequest);
    const silent = await RawConnection.open(stopping.port);
    while (stopping.appends.length === 0) await new Promise((wait) => setTimeout(wait, 5));
    await stopping.stop();
    expect(await busy.response()).toBeNull();
    await busy.end();
    await silent.end();
  });
});

test('a port that is taken fails the start with the error of the system', async () => {
  await expect(openGateway({ settings: { port: gateway.port } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});
