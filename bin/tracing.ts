import type { Settings } from '../config/read-settings.ts';
import type { Log } from '../telemetry/log.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { version } from './version.ts';

/** The way to the collector of OTEL_EXPORTER_OTLP_ENDPOINT; undefined without one, and then nothing of it is loaded. */
export async function openNodeTracing(
  settings: Settings,
  { nodeId, log }: { readonly nodeId: string; readonly log: Log },
): Promise<Tracing | undefined> {
  const {
    otelExporterOtlpEndpoint: endpoint,
    otelExporterOtlpProtocol: protocol,
    otelServiceName: serviceName,
  } = settings;
  if (endpoint === null) return undefined;
  const { openTracing } = await import('../telemetry/otlp-tracing.ts');
  return openTracing({
    endpoint,
    protocol,
    serviceName,
    serviceVersion: version,
    nodeId,
    sampleRate: settings.otelSampleRate,
    log,
  });
}
