import { openTracing } from '../../telemetry/otlp-tracing.ts';
import { findFreePort } from '../../bin/driver/free-port.ts';
import { openGrpcReceiver, openHttpReceiver } from '../support/otlp-receiver.ts';

const quiet = { warn: () => undefined };
const identity = { serviceName: 'sequencer', serviceVersion: '1.2.3', nodeId: 'node-1', log: quiet };

test.each([
  ['grpc', openGrpcReceiver],
  ['http/protobuf', openHttpReceiver],
] as const)('spans arrive over %s, with their parents and links', async (protocol, open) => {
  const receiver = await open();
  const tracing = await openTracing({ ...identity, endpoint: receiver.url, protocol, sampleRate: 1 });
  const request = tracing.start('request', { kind: 'server' });
  const flush = tracing.record('flush', {
    parent: request.traceparent,
    links: [request.traceparent, 'nonsense'],
    startedMsAgo: 5,
    durationMs: 5,
  });
  request.end();
  await tracing.close();
  await receiver.close();
  const [inner, outer] = receiver.spans;
  expect(outer).toMatchObject({ name: 'request', node: 'node-1', service: 'sequencer', parentSpanId: '' });
  expect(inner).toMatchObject({ name: 'flush', traceId: outer!.traceId, parentSpanId: outer!.spanId });
  expect(inner!.links).toEqual([outer!.spanId]);
  expect(flush).toBe(`00-${inner!.traceId}-${inner!.spanId}-01`);
});

test('what is not sampled at its beginning is not sent, nor what others do for it', async () => {
  const receiver = await openHttpReceiver();
  const options = { ...identity, endpoint: receiver.url, protocol: 'http/protobuf' } as const;
  const front = await openTracing({ ...options, sampleRate: 0 });
  const owner = await openTracing({ ...options, sampleRate: 1 });
  const request = front.start('request');
  owner.start('append', { parent: request.traceparent }).end();
  request.end();
  owner.start('of its own', { parent: 'no traceparent' }).end();
  await Promise.all([front.close(), owner.close()]);
  await receiver.close();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['of its own']);
});

test('a collector that is not there is told of once at most, and holds up the end for seconds at most', async () => {
  const said: string[] = [];
  const tracing = await openTracing({
    ...identity,
    endpoint: `http://127.0.0.1:${await findFreePort()}`,
    protocol: 'http/protobuf',
    sampleRate: 1,
    log: { warn: (...line: unknown[]) => void said.push(line.join(' ')) },
  });
  tracing.start('request').end();
  const startedMs = performance.now();
  await tracing.close();
  expect(performance.now() - startedMs).toBeLessThan(8_000);
  expect(said.length).toBeLessThanOrEqual(1);
}, 15_000);
