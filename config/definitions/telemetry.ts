import { boolean, choice, ratio, text } from '../definition.ts';

/** What a node tells of its work, beside its metrics. */
export const telemetryDefinitions = {
  accessLog: boolean({
    env: 'ACCESS_LOG',
    default: false,
    why: 'on, every answered request is a log line at level info; off, at level debug',
  }),
  otelExporterOtlpEndpoint: text({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: null,
    accepts: 'an http or https address of an OTLP collector, without a user or password',
    pattern: /^https?:\/\/[^\s@/]+(\/[^\s@]*)?$/,
    why: 'traces go there; unset, none are made. Ports are usually 4317 for grpc and 4318 for http/protobuf',
  }),
  otelExporterOtlpProtocol: choice({
    env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    default: 'grpc',
    values: ['grpc', 'http/protobuf'],
    why: 'how the collector is spoken to; http/protobuf adds /v1/traces to the address',
  }),
  otelServiceName: text({
    env: 'OTEL_SERVICE_NAME',
    default: 'stateset-sequencer',
    accepts: '1 to 100 letters, digits, dots, hyphens and underscores',
    pattern: /^[A-Za-z0-9._-]{1,100}$/,
    why: 'how traces and log lines name this product among others',
  }),
  otelSampleRate: ratio({
    env: 'OTEL_SAMPLE_RATE',
    alias: 'OTEL_TRACES_SAMPLER_ARG',
    default: 1,
    why: 'the part of all requests that is traced, on all nodes they come to',
  }),
};
