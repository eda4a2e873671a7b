import type { CallMeta } from '../contracts.ts';
import type { RouteRequest } from './route.ts';

/** What the other nodes need to name a request in their logs and traces. */
export function callMeta({
  requestId,
  traceparent,
}: Pick<RouteRequest, 'requestId' | 'traceparent'>): CallMeta {
  return { requestId, ...(traceparent !== undefined && { traceparent }) };
}
