import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { hexAt, messagesAt, textAt } from './protobuf.ts';

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly node: string;
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  /** Span ids. */
  readonly links: readonly string[];
  /** The span as sent, to look for what must not be in it. */
  readonly text: string;
}

/** An OTLP collector that keeps what it gets. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  close(): Promise<void>;
}

/** Listens for OTLP/HTTP with protobuf bodies at /v1/traces. */
export function openHttpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const isOurs = req.url === '/v1/traces' && req.headers['content-type'] === 'application/x-protobuf';
      if (isOurs) spans.push(...readRequest(Buffer.concat(chunks)));
      res.writeHead(isOurs ? 200 : 400).end();
    });
  });
  return listen(server, spans);
}

/** Listens for OTLP/gRPC without TLS. */
export function openGrpcReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const isOurs = headers[':path'] === '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
      // Before a gRPC message: a flag for compression and the length.
      if (isOurs) spans.push(...readRequest(Buffer.concat(chunks).subarray(5)));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isOurs ? '0' : '12' }));
      stream.end(Buffer.alloc(5));
    });
  });
  return listen(server, spans);
}

function listen(server: Server | Http2Server, spans: readonly ReceivedSpan[]): Promise<OtlpReceiver> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        url: `http://127.0.0.1:${port}`,
        spans,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}

/** An ExportTraceServiceRequest of opentelemetry-proto. */
function readRequest(request: Uint8Array): ReceivedSpan[] {
  return messagesAt(request, 1).flatMap((ofResource) => {
    const resource = messagesAt(ofResource, 1)[0] ?? new Uint8Array();
    const attribute = (key: string): string => {
      const found = messagesAt(resource, 1).find((pair) => textAt(pair, 1) === key);
      return found === undefined ? '' : textAt(messagesAt(found, 2)[0]!, 1);
    };
    const origin = { node: attribute('service.instance.id'), service: attribute('service.name') };
    return messagesAt(ofResource, 2).flatMap((ofScope) =>
      messagesAt(ofScope, 2).map((span) => ({ ...origin, ...readSpan(span) })),
    );
  });
}

function readSpan(span: Uint8Array): Omit<ReceivedSpan, 'node' | 'service'> {
  return {
    name: textAt(span, 5),
    traceId: hexAt(span, 1),
    spanId: hexAt(span, 2),
    parentSpanId: hexAt(span, 4),
    links: messagesAt(span, 13).map((link) => hexAt(link, 2)),
    text: Buffer.from(span).toString('latin1'),
  };
}
