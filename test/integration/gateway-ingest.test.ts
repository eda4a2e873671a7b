import { Errors } from 'moleculer';
import {
  AppendOutcomeUnknown,
  Fenced,
  InvariantBroken,
  MailboxFull,
  Refused,
  ShuttingDown,
} from '../../domain/errors.ts';
import type { Head, Sequence } from '../../domain/types.ts';
import { toBrokerError } from '../../services/broker-errors.ts';
import type { AppendReply } from '../../services/contracts.ts';
import { uuid } from '../support/events.ts';
import {
  ingestBody,
  ingestInit,
  noEvents,
  openGateway,
  type OpenedGateway,
  store1,
  store2,
  tenantA,
  tenantB,
} from '../support/open-gateway.ts';
import { RawConnection } from '../support/raw-connection.ts';

const path = '/api/v1/events/ingest';

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
beforeEach(() => {
  gateway.appends.length = 0;
  gateway.logLines.length = 0;
  gateway.answerAppend = () => Promise.resolve(noEvents);
});
afterAll(() => gateway.stop());

describe('the request', () => {
  test('reaches the owner as the bytes it came in', async () => {
    const body = `  ${ingestBody()}\n`;
    await gateway.fetch(path, ingestInit(body));
    const [params] = gateway.appends;
    expect(Buffer.from(params?.body ?? []).toString()).toBe(body);
    expect(params).toMatchObject({
      tenantId: tenantA,
      storeId: store1,
      world: 'legacy',
      principal: { agentId: null, mayWrite: true },
    });
    expect(params?.timeLeftMs).toBeGreaterThan(4_000);
    expect(params?.timeLeftMs).toBeLessThanOrEqual(5_000);
  });

  test('has an id of its own, also when the caller repeats its header', async () => {
    const headers = { 'x-request-id': uuid(7) };
    await gateway.fetch(path, ingestInit(ingestBody(), headers));
    await gateway.fetch(path, ingestInit(ingestBody(), headers));
    const ids = gateway.appends.map(({ requestId }) => requestId);
    expect(new Set([...ids, uuid(7)]).size).toBe(3);
  });

  test.each([
    ['its own store', { tenantId: tenantA, admin: false, storeIds: [store1] }, true],
    ['a store that it is not for', { tenantId: tenantA, admin: false, storeIds: [store2] }, false],
    ['another tenant', { tenantId: tenantB, admin: false }, false],
    ['its store, without the flag', { tenantId: tenantA, write: false }, false],
  ])('says whether the key may write to %s', async (name, principal, mayWrite) => {
    await gateway.addKey(`ss_${name}`, { ...principal, agentId: uuid(0xc1) });
    await gateway.fetch(path, ingestInit(ingestBody(), { authorization: `ApiKey ss_${name}` }));
    expect(gateway.appends[0]?.principal).toEqual({ agentId: uuid(0xc1), mayWrite });
  });

  test('without events is answered with zeros, whoever sends it', async () => {
    await gateway.addKey('ss_reader', { tenantId: tenantB, write: false });
    const body = JSON.stringify({ agent_id: uuid(1), events: [] });
    const response = await gateway.fetch(path, ingestInit(body, { authorization: 'ApiKey ss_reader' }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      batch_id: expect.any(String),
      events_accepted: 0,
      events_rejected: 0,
      assigned_sequence_start: null,
      assigned_sequence_end: null,
      head_sequence: 0,
      receipts: [],
    });
    expect(gateway.appends).toEqual([]);
  });
});

describe('the answer', () => {
  const reply: AppendReply = {
    accepted: 2,
    rejected: 4,
    sequenceStart: 7 as Sequence,
    sequenceEnd: 8 as Sequence,
    head: 8 as Head,
    receipts: [
      { eventId: uuid(1), sequence: 7 as Sequence },
      { eventId: uuid(2), sequence: 8 as Sequence },
    ],
    rejections: [
      { eventId: uuid(3), reason: 'duplicate-event-id', message: 'a', sequence: 4 as Sequence },
      { eventId: uuid(4), reason: 'duplicate-command-id', message: 'b' },
      { eventId: uuid(5), reason: 'payload-hash-differs', message: 'c' },
      { eventId: uuid(6), reason: 'version-conflict', message: 'd' },
    ],
  };

  test('is worded as clients know it', async () => {
    gateway.answerAppend = () => Promise.resolve(reply);
    const response = await gateway.fetch(path, ingestInit(ingestBody()));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      batch_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      events_accepted: 2,
      events_rejected: 4,
      assigned_sequence_start: 7,
      assigned_sequence_end: 8,
      head_sequence: 8,
      rejections: [
        { event_id: uuid(3), reason: 'DuplicateEventId', message: 'a', sequence_number: 4 },
        { event_id: uuid(4), reason: 'DuplicateCommandId', message: 'b' },
        { event_id: uuid(5), reason: 'InvalidPayloadHash', message: 'c' },
        { event_id: uuid(6), reason: 'VersionConflict', message: 'd' },
      ],
      receipts: [
        { event_id: uuid(1), sequence_number: 7 },
        { event_id: uuid(2), sequence_number: 8 },
      ],
    });
  });

  test('has no key rejections when there are none', async () => {
    gateway.answerAppend = () => Promise.resolve({ ...reply, rejected: 0, rejections: [] });
    const response = await gateway.fetch(path, ingestInit(ingestBody()));
    expect(await response.json()).not.toHaveProperty('rejections');
  });
});

describe('a body', () => {
  test.each<[string, string | undefined, number]>([
    ['application/json', 'application/json', 200],
    ['application/json in capitals', 'Application/JSON', 200],
    ['with a charset', 'application/json; charset=utf-8', 200],
    ['a JSON dialect', 'application/vnd.stateset.v1+json', 200],
    ['no type', undefined, 415],
    ['text/json', 'text/json', 415],
    ['application/jsonl', 'application/jsonl', 415],
    ['application/+json', 'application/+json', 415],
    ['a form', 'application/x-www-form-urlencoded', 415],
  ])('of the type %s', async (_name, type, status) => {
    const headers = { authorization: 'ApiKey ss_admin', ...(type !== undefined && { 'content-type': type }) };
    const response = await gateway.fetch(path, { method: 'POST', headers, body: Buffer.from(ingestBody()) });
    expect(response.status).toBe(status);
    if (status === 415) await expectText(response, /content-type/);
  });

  test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, identity'])('coded as %s is refused', async (coding) => {
    const response = await gateway.fetch(path, ingestInit(ingestBody(), { 'content-encoding': coding }));
    expect(response.status).toBe(415);
    await expectText(response, /content-encoding/);
  });

  test('coded as identity is a plain body', async () => {
    const response = await gateway.fetch(path, ingestInit(ingestBody(), { 'content-encoding': 'identity' }));
    expect(response.status).toBe(200);
  });

  test('of exactly the limit is taken, and one byte more is refused as text', async () => {
    const bare = ingestBody().length;
    const fits = ingestBody({ padding: 1_048_576 - bare });
    expect((await gateway.fetch(path, ingestInit(fits))).status).toBe(200);
    const response = await gateway.fetch(path, ingestInit(`${fits} `));
    expect(response.status).toBe(413);
    await expectText(response, /1048576 bytes/);
    expect(gateway.appends).toHaveLength(1);
  });

  test.each([
    ['nothing', '', 400],
    ['no JSON', '{"events":', 400],
    ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), 400],
    ['an array', '[]', 422],
    ['null', 'null', 422],
    ['no events', '{"agent_id":"00000000-0000-4000-8000-000000000001"}', 422],
    ['events that are no list', '{"events":{}}', 422],
    ['an event that is no object', '{"events":[1]}', 422],
    ['an event without a tenant', ingestBody().replace('tenant_id', 'tenant'), 422],
    ['a tenant that is no UUID', ingestBody({ tenantId: 'x' }), 422],
  ])('with %s is refused as text before the owner sees it', async (_content, body, status) => {
    const response = await gateway.fetch(path, ingestInit(body));
    expect(response.status).toBe(status);
    await expectText(response, /./);
    expect(gateway.appends).toEqual([]);
  });
});

describe('what the owner refuses', () => {
  const retry = { 'retry-after': '1' };
  test.each<[string, () => Error, number, string | null, Record<string, string>]>([
    ['a bad field', () => new Refused('INVALID_FIELD_VALUE', 'because'), 400, 'INVALID_FIELD_VALUE', {}],
    [
      'a missing permission',
      () => new Refused('INSUFFICIENT_PERMISSIONS', 'because'),
      403,
      'INSUFFICIENT_PERMISSIONS',
      {},
    ],
    ['too much', () => new Refused('PAYLOAD_TOO_LARGE', 'because'), 413, 'PAYLOAD_TOO_LARGE', {}],
    ['no JSON', () => new Refused('UNREADABLE_JSON', 'because'), 400, null, {}],
    ['a wrong shape', () => new Refused('WRONG_SHAPE', 'because'), 422, null, {}],
    ['a full mailbox', () => new MailboxFull('inside'), 503, 'SERVICE_UNAVAILABLE', retry],
    ['a shutdown', () => new ShuttingDown('inside'), 503, 'SERVICE_UNAVAILABLE', retry],
    ['a lost fence', () => new Fenced('inside'), 503, 'SERVICE_UNAVAILABLE', retry],
    ['an unknown outcome', () => new AppendOutcomeUnknown('inside'), 504, 'TIMEOUT', {}],
    ['a broken invariant', () => new InvariantBroken('inside'), 500, 'INTERNAL_ERROR', {}],
    ['a fault of ours', () => new TypeError('inside'), 500, 'INTERNAL_ERROR', {}],
    [
      'no owner',
      () => new Errors.ServiceNotFoundError({ action: 'inside' }),
      503,
      'SERVICE_UNAVAILABLE',
      retry,
    ],
    [
      'a silent owner',
      () => new Errors.RequestTimeoutError({ action: 'inside', nodeID: 'b' }),
      504,
      'TIMEOUT',
      {},
    ],
    [
      'an owner that vanished',
      () => new Errors.RequestRejectedError({ action: 'inside', nodeID: 'b' }),
      504,
      'TIMEOUT',
      {},
    ],
  ])('%s', async (_name, makeError, status, code, headers) => {
    for (const error of [makeError(), toBrokerError(makeError())]) {
      gateway.answerAppend = () => Promise.reject(error);
      const response = await gateway.fetch(path, ingestInit(ingestBody()));
      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject(headers);
      expect(response.headers.get('x-error-code')).toBe(code);
      const text = await response.text();
      expect(text).not.toMatch('inside');
      if (code === null) expect(text).toBe('because');
      else {
        const { error: body } = JSON.parse(text) as { error: Record<string, unknown> };
        expect(body).toEqual({ code, numeric_code: expect.any(Number), message: expect.any(String) });
        if (status < 500) expect(body.message).toBe('because');
      }
    }
    const loud = gateway.logLines.filter((line) => /^(warn|error)/.test(line));
    expect(loud.length).toBe(status === 500 || status === 504 ? 2 : 0);
  });
});

describe('admission', () => {
  /**
   * Opens a gateway that may hold three kilobytes of one tenant, four fifths of all, and requests whose answer is held
   * back.
   */
  async function openNarrow() {
    const open = await openGateway({ bytesInFlightMax: 3_750, settings: { bodyBytesMax: 2_500 } });
    const { promise, resolve } = Promise.withResolvers<AppendReply>();
    open.answerAppend = () => promise;
    return { open, answer: () => resolve(noEvents) };
  }
  const kilobyte = ingestBody({ padding: 1_000 - ingestBody().length });

  test('refuses what passes the bound, and takes it once an answer is out', async () => {
    const { open, answer } = await openNarrow();
    try {
      const held = [1, 2, 3].map(() => open.fetch(path, ingestInit(kilobyte)));
      await until(() => open.appends.length === 3);
      const refused = await open.fetch(path, ingestInit(kilobyte));
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(refused.headers.get('x-error-code')).toBe('SERVICE_UNAVAILABLE');
      expect(await refused.json()).toMatchObject({
        error: { code: 'SERVICE_UNAVAILABLE', numeric_code: 8002 },
      });
      answer();
      expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
      for (let request = 0; request < 10; request += 1) {
        expect((await open.fetch(path, ingestInit(kilobyte))).status).toBe(200);
      }
    } finally {
      await open.stop();
    }
  });

  test('counts a body without a length as it comes', async () => {
    const { open, answer } = await openNarrow();
    try {
      const held = [1, 2].map(() => open.fetch(path, ingestInit(kilobyte)));
      await until(() => open.appends.length === 2);
      const connection = await RawConnection.open(open.port);
      connection.send(
        `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\ncontent-type: application/json\r\n` +
          `transfer-encoding: chunked\r\n\r\n3e8\r\n${'x'.repeat(1_000)}\r\n`,
      );
      connection.send(`1\r\nx\r\n0\r\n\r\n`);
      expect((await connection.response())?.status).toBe(503);
      connection.destroy();
      answer();
      await Promise.all(held);
      expect((await open.fetch(path, ingestInit(kilobyte))).status).toBe(200);
    } finally {
      await open.stop();
    }
  });

  test('holds nothing for those without a key, and answers them with the body unsent', async () => {
    const { open, answer } = await openNarrow();
    try {
      const connections = await Promise.all([1, 2, 3, 4].map(() => RawConnection.open(open.port)));
      for (const connection of connections) {
        connection.send(
          `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2500\r\n\r\n`,
        );
        expect((await connection.response())?.status).toBe(401);
      }
      answer();
      expect((await open.fetch(path, ingestInit(kilobyte))).status).toBe(200);
      for (const connection of connections) connection.destroy();
    } finally {
      await open.stop();
    }
  });

  test('gets back what a broken connection held', async () => {
    const { open, answer } = await openNarrow();
    answer();
    try {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const connection = await RawConnection.open(open.port);
        connection.send(
          `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ss_admin\r\ncontent-type: application/json\r\n` +
            `expect: 100-continue\r\ncontent-length: 2500\r\n\r\n`,
        );
        expect((await connection.response())?.status).toBe(100);
        connection.send('{');
        connection.destroy();
        await until(async () => (await open.fetch(path, ingestInit(kilobyte))).status === 200);
      }
    } finally {
      await open.stop();
    }
  });
});

async function expectText(response: Response, content: RegExp): Promise<void> {
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(response.headers.get('x-error-code')).toBeNull();
  expect(await response.text()).toMatch(content);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
