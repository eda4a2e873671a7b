import {
  type Context,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type NodeTracerConfig,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { Log } from './log.ts';
import type { PastSpan, Span, SpanStart, Tracing } from './tracing.ts';

export interface TracingOptions {
  /** Of the collector; spans go to `/v1/traces` below it over HTTP. */
  readonly endpoint: string;
  readonly protocol: 'grpc' | 'http/protobuf';
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly nodeId: string;
  /** The part of the traces that is kept, from 0 to 1. */
  readonly sampleRate: number;
  readonly log: Pick<Log, 'warn'>;
}

const closeTimeoutMs = 5_000;
/** With its repetitions, which nothing cancels: what is sent at the end is over before the end is. */
const exportTimeoutMs = 4_000;
const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/** Sends spans to an OTLP collector, in batches and off the path of requests; what it can't take is dropped. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { serviceName, serviceVersion, nodeId, sampleRate, log } = options;
  const exporter = await openExporter(options);
  const provider = new NodeTracerProvider({
    resource: resourceOf({
      'service.name': serviceName,
      'service.version': serviceVersion,
      'service.instance.id': nodeId,
    }),
    // A request is traced on all nodes or on none.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRate) }),
    spanProcessors: [new BatchSpanProcessor(reporting(exporter, log))],
  });
  const tracer = provider.getTracer('stateset-sequencer', serviceVersion);
  return {
    start: (name, start = {}) => spanOf(tracer.startSpan(name, optionsOf(start), contextOf(start.parent))),
    record: (name, past) => {
      const startTime = Date.now() - past.startedMsAgo;
      const span = tracer.startSpan(
        name,
        { ...optionsOf(past), startTime, links: linksOf(past) },
        contextOf(past.parent),
      );
      span.end(startTime + past.durationMs);
      return traceparentOf(span.spanContext());
    },
    close: async () => {
      const tooLate = new Promise<void>((resolve) => setTimeout(resolve, closeTimeoutMs).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), tooLate]);
    },
  };
}

/** Each of the two is loaded only when it is used. */
async function openExporter({ endpoint, protocol }: TracingOptions): Promise<SpanExporter> {
  if (protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    return new OTLPTraceExporter({ url: endpoint, timeoutMillis: exportTimeoutMs });
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  return new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
}

/** Says once that the collector is out of reach, and again after it was there. */
function reporting(exporter: SpanExporter, log: Pick<Log, 'warn'>): SpanExporter {
  let isBroken = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !isBroken)
          log.warn({ problem: result.error?.message }, 'traces do not reach their collector');
        isBroken = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function spanOf(span: OtelSpan): Span {
  return {
    traceparent: traceparentOf(span.spanContext()),
    rename: (name) => span.updateName(name),
    set: (attributes) => span.setAttributes(attributes),
    end: (failure) => {
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}

function optionsOf({ kind, attributes }: SpanStart) {
  return { kind: kind === undefined ? SpanKind.INTERNAL : kinds[kind], ...(attributes && { attributes }) };
}

function linksOf({ links = [] }: PastSpan): { context: SpanContext }[] {
  return links.flatMap((text) => {
    const context = readTraceparent(text);
    return context === null ? [] : [{ context }];
  });
}

function contextOf(parent: string | undefined): Context {
  const context = parent === undefined ? null : readTraceparent(parent);
  return context === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...context, isRemote: true });
}

/** W3C Trace Context, version 00. */
function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** It comes from our own nodes, but whoever reaches NATS may send another. */
function readTraceparent(text: string): SpanContext | null {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text);
  if (match === null) return null;
  const [, traceId = '', spanId = '', flags = ''] = match;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) & 1 };
}

type Resource = NonNullable<NodeTracerConfig['resource']>;

/** Exporters read the attributes alone; the package that makes resources is no dependency of ours. */
function resourceOf(attributes: Record<string, string>): Resource {
  const resource: Resource = { attributes, merge: () => resource, getRawAttributes: () => [] };
  return resource;
}
