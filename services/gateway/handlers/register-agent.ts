import { randomUUID } from 'node:crypto';
import type { Principal } from '../../../domain/access.ts';
import { permissionsOf } from '../../../domain/key-grant.ts';
import type { Uuid } from '../../../domain/types.ts';
import type { ApiKeys } from '../../../storage/api-keys.ts';
import { mintApiKey } from '../../access/key-minting.ts';
import { hashPrefixOf } from '../../access/new-api-key.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import { readError } from '../../broker-errors.ts';
import { originOf } from '../audited-request.ts';
import { flatReply } from '../error-reply.ts';
import type { RateVerdict } from '../../limits/rate-limiter.ts';
import type { RegistrationLimiter } from '../registration-limiter.ts';
import { jsonReply, type Reply, withStatus } from '../reply.ts';
import type { RouteRequest } from '../route.ts';
import { readRegistrationRequest, refusalOf, type RegistrationRequest } from './registration-request.ts';

export interface RegistrationDependencies {
  readonly apiKeys: Pick<ApiKeys, 'insertKey'>;
  readonly audit: Pick<AuditLog, 'record'>;
  /** Null when registration is off. */
  readonly registrationLimiter: Pick<RegistrationLimiter, 'take'> | null;
  /** Told what became of each try: `REGISTERED`, or the code of the error. */
  readonly onRegistration: (outcome: 'success' | 'error', reason: string) => void;
}

/**
 * Makes an agent with a key in a tenant of its own, for anyone who asks. Nothing is read before the limit has had its say,
 * so that strangers cost little.
 */
export function registerAgent(deps: RegistrationDependencies): (request: RouteRequest) => Promise<Reply> {
  const reject = (status: number, code: string, error: string): Reply => {
    deps.onRegistration('error', code);
    return flatReply(status, code, error);
  };
  return async (request) => {
    if (deps.registrationLimiter === null) {
      return reject(403, 'REGISTRATION_DISABLED', 'this node does not register agents');
    }
    const turn = await deps.registrationLimiter.take(request.clientAddress());
    if (!turn.isAllowed) {
      const sentence = `no more registrations from this address for ${turn.resetSecs} s`;
      const headers = { ...limitHeaders(turn), 'retry-after': String(turn.resetSecs) };
      return withStatus(reject(429, 'RATE_LIMIT_EXCEEDED', sentence), 429, headers);
    }
    try {
      const wanted = readRegistrationRequest(await request.readBody());
      const refusal = refusalOf(wanted);
      if (refusal !== null) return reject(refusal.status, refusal.code, refusal.error);
      const reply = await register(deps, request, wanted);
      deps.onRegistration('success', 'REGISTERED');
      return withStatus(reply, 200, limitHeaders(turn));
    } catch (error) {
      deps.onRegistration('error', readError(error)?.code ?? 'INTERNAL_ERROR');
      throw error;
    }
  };
}

async function register(
  { apiKeys, audit }: RegistrationDependencies,
  request: RouteRequest,
  { name, description, storeIds, readOnly, rateLimit }: RegistrationRequest,
): Promise<Reply> {
  const principal: Principal & { agentId: Uuid } = {
    tenantId: randomUUID() as string as Uuid,
    agentId: randomUUID() as string as Uuid,
    storeIds: [...new Set(storeIds)],
    read: true,
    write: !readOnly,
    admin: false,
    requestsPerMinuteMax: rateLimit,
  };
  const key = await mintApiKey(apiKeys, principal, 1);
  const { agentId, tenantId } = principal;
  const permissions = permissionsOf(principal);
  await audit.record({
    ...originOf(request),
    action: 'custom:agent_registered',
    tenantId,
    resourceType: 'agent',
    resourceId: agentId,
    details: { name, description, permissions, keyHashPrefix: hashPrefixOf(key.hash) },
    success: true,
    errorMessage: null,
  });
  return jsonReply({
    success: true,
    agentId,
    tenantId,
    apiKey: key.text,
    permissions,
    message: 'keep the key now: it is not shown again',
  });
}

function limitHeaders({ limit, remaining, resetSecs }: RateVerdict): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSecs),
  };
}
