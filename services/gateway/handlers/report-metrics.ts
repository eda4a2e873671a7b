import { Refused } from '../../../domain/errors.ts';
import { type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

/** What this node counts, for an administrator, or for a Prometheus that has METRICS_TOKEN. */
export function reportMetrics(text: () => Promise<string>): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ principal, provedBy }) => {
    if (!principal.admin && provedBy !== 'metrics_token') {
      throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential has no admin permission');
    }
    return textReply(200, await text());
  };
}
