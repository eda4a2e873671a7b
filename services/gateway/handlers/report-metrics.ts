import { Refused } from '../../../domain/errors.ts';
import { type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

/** What this node counts, for an administrator's Prometheus. */
export function reportMetrics(text: () => Promise<string>): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ principal }) => {
    if (!principal.admin) {
      throw new Refused('INSUFFICIENT_PERMISSIONS', 'this credential has no admin permission');
    }
    return textReply(200, await text());
  };
}
