import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { uuid } from '../support/events.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { openHttpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let nats: NatsServer;
let receiver: OtlpReceiver;
const nodes = new TestNodes();

beforeAll(async () => {
  database = await createTestDatabase();
  nats = await startNatsServer();
  receiver = await openHttpReceiver();
}, 60_000);
afterAll(async () => {
  await nodes.stop();
  await receiver.close();
  await nats.stop();
  await database.drop();
});

function start(nodeId: string, services: string): Promise<NodeProcess> {
  return nodes.start({
    DATA_DIR: join(nodes.folder, nodeId),
    NODE_ID: nodeId,
    NODE_SERVICES: services,
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_SERVICE_NAME: 'shop-sequencer',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
    ACCESS_LOG: 'true',
  });
}

function ingest(node: NodeProcess, requestId: string, eventId: number): Promise<Response> {
  const event = {
    event_id: uuid(eventId),
    tenant_id: uuid(1),
    store_id: uuid(2),
    entity_type: 'order',
    entity_id: 'A',
    event_type: 'order.created',
    payload: { note: 'nobody else should read this' },
    created_at: '2026-01-31T12:00:00Z',
  };
  return fetch(`${node.url}/api/v1/events/ingest?q=a-query`, {
    method: 'POST',
    headers: {
      authorization: `ApiKey ${adminKey}`,
      'content-type': 'application/json',
      'x-request-id': requestId,
      traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    },
    body: JSON.stringify({ agent_id: uuid(3), events: [event] }),
  });
}

interface LogLine {
  readonly msg: string;
  readonly requestId?: string;
}

test('one trace leads from the gateway over NATS to the append on the owner, and the log names the request', async () => {
  const owner = await start('owner', 'sequencer,commitment');
  const gateway = await start('front', 'gateway');
  // Until the two have met nobody owns a store.
  await until('an owner answers', async () => (await ingest(gateway, 'first', 100)).status === 200, 20_000);
  expect((await ingest(gateway, 'request-7', 101)).status).toBe(200);
  const lines = (gateway.output.match(/^\{.*\}$/gm) ?? []).map((line) => JSON.parse(line) as LogLine);
  expect(lines.find(({ requestId }) => requestId === 'request-7')).toMatchObject({
    level: 30,
    service: 'shop-sequencer',
    node: 'front',
    msg: 'answered a request',
    method: 'POST',
    route: '/api/v1/events/ingest',
    status: 200,
    credential: 'api_key',
    ms: expect.any(Number),
    responseBytes: expect.any(Number),
  });
  await gateway.stop(10_000); // The last spans are sent before a node ends.
  await owner.stop(10_000);

  const ofRequest = receiver.spans.find(({ text }) => text.includes('request-7'));
  const trace = receiver.spans.filter(({ traceId }) => traceId === ofRequest?.traceId);
  const chain: ReceivedSpan[] = [];
  for (let span = trace.find(({ name }) => name === 'append'); span !== undefined;) {
    chain.unshift(span);
    const { parentSpanId } = span;
    span = trace.find(({ spanId }) => spanId === parentSpanId);
  }
  expect(chain.map(({ node, name }) => [node, name])).toEqual([
    ['front', 'POST /api/v1/events/ingest'],
    ['front', 'call sequencer.append'],
    ['owner', 'sequencer.append'],
    ['owner', 'flush'],
    ['owner', 'append'],
  ]);
  // Clients do not choose what is traced, so theirs is not the trace.
  expect(chain[0]).toMatchObject({ parentSpanId: '', service: 'shop-sequencer' });
  expect(trace.some(({ traceId }) => traceId.startsWith('1111'))).toBe(false);
  expect(chain[3]!.links).toEqual([chain[2]!.spanId]);

  const everything = [gateway.output, ...receiver.spans.map(({ text }) => text)].join('\n');
  for (const secret of [adminKey, 'nobody else should read this', 'a-query']) {
    expect(everything).not.toContain(secret);
  }
}, 90_000);
