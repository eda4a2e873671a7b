import type { Log } from '../../telemetry/log.ts';
import type { AnsweredExchange } from './gateway-observer.ts';

/** Writes a line for every answered request: the route and never the path or the query, who asked and never with what. */
export function accessLog(log: Log, level: 'debug' | 'info'): (exchange: AnsweredExchange) => void {
  return ({ requestId, method, template, status, durationMs, requestBytes, responseBytes, caller }) =>
    log[level](
      {
        requestId,
        method,
        route: template,
        status,
        ms: Math.round(durationMs * 10) / 10,
        requestBytes,
        responseBytes,
        ...(caller !== null && { credential: caller.provedBy, tenantId: caller.tenantId }),
      },
      'answered a request',
    );
}
