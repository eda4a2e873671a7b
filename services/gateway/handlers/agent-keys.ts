import { nilUuid } from '../../../domain/access.ts';
import type { Clock } from '../../../domain/clock.ts';
import { Refused } from '../../../domain/errors.ts';
import { toHex } from '../../../domain/bytes.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { Micros, TenantId } from '../../../domain/types.ts';
import {
  type AgentKey,
  type AgentKeyRef,
  agentKeyStatus,
  type NewAgentKey,
} from '../../../domain/ves/agent-key.ts';
import type { AgentKeys } from '../../../storage/agent-keys.ts';
import type { NewAuditEntry } from '../../../storage/audit-log.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import { originOf } from '../audited-request.ts';
import { jsonReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { checkAgentKeyRequest, readAgentKeyRequest } from './agent-key-request.ts';
import { pathU32, pathUuid, permit } from './reading.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

export const agentKeysLimitDefault = 100;
export const agentKeysLimitMax = 1_000;

/** Registers a public key of an agent; the number of a key is given once, and stays taken when the key is revoked. */
export function registerAgentKey(keys: Pick<AgentKeys, 'register'>, audit: Pick<AuditLog, 'record'>): Handle {
  return async (request) => {
    const wanted = readAgentKeyRequest(await request.readBody());
    permitAdmin(request, wanted.tenantId);
    const key = checkAgentKeyRequest(wanted);
    if (!(await keys.register(key))) {
      return textReply(409, `agent ${key.agentId} already has a key ${key.keyId}`);
    }
    await audit.record(entryAbout(key, request, 'agent_key_registered'));
    return jsonReply({
      success: true,
      ...refOf(key),
      keyAlgorithm: key.algorithm,
      message: 'the key is registered; events that it signed are accepted from now on',
    });
  };
}

/**
 * A page of an agent's keys, revoked ones too, ascending by number. Whoever may read a tenant's events may read with which
 * public keys they are checked; they stand in every proof bundle as well.
 */
export function listAgentKeys(keys: Pick<AgentKeys, 'list'>, clock: Pick<Clock, 'nowMicros'>): Handle {
  return async (request) => {
    const query = request.query();
    const tenantId = query.optionalUuid('tenant_id') ?? request.principal.tenantId;
    const agentId = pathUuid(request, 'agent_id');
    permitReadOrAdmin(request, tenantId);
    const after = query.u32('after', -1);
    const limit = query.u32('limit', agentKeysLimitDefault);
    if (limit === 0) {
      throw new Refused(
        'INVALID_QUERY',
        `the query parameter limit is "0"; accepted is an integer from 1 (above ${agentKeysLimitMax} it counts as ${agentKeysLimitMax})`,
      );
    }
    const page = { afterKeyId: after < 0 ? null : after, limit: Math.min(limit, agentKeysLimitMax) };
    const found = await keys.list({ tenantId, agentId }, page);
    const now = clock.nowMicros();
    return jsonReply({
      tenantId,
      agentId,
      keys: found.map((key) => keyBody(key, now)),
      count: found.length,
    });
  };
}

/** Makes a key unusable for good, on every node within a second. A second time changes nothing. */
export function revokeAgentKey(
  keys: Pick<AgentKeys, 'revoke'>,
  audit: Pick<AuditLog, 'record'>,
  clock: Pick<Clock, 'nowMicros'>,
): Handle {
  return async (request) => {
    const tenantId = request.query().optionalUuid('tenant_id') ?? request.principal.tenantId;
    const ref = { tenantId, agentId: pathUuid(request, 'agent_id'), keyId: pathU32(request, 'key_id') };
    permitAdmin(request, tenantId);
    const key = await keys.revoke(ref);
    if (key === null) return textReply(404, `agent ${ref.agentId} has no key ${ref.keyId}`);
    await audit.record(entryAbout(key, request, 'agent_key_revoked'));
    return jsonReply({
      success: true,
      ...refOf(key),
      ...keyBody(key, clock.nowMicros()),
      message: 'the key is revoked; within a second no node accepts an event that it signed',
    });
  };
}

/** Keys belong to a tenant and to no store, so a list of stores does not restrict an administrator. */
function permitAdmin({ principal }: ProtectedRequest, tenantId: TenantId): void {
  permit(principal, 'admin', { tenantId, storeId: nilUuid });
}

function permitReadOrAdmin({ principal }: ProtectedRequest, tenantId: TenantId): void {
  permit(principal, principal.admin ? 'admin' : 'read', { tenantId, storeId: nilUuid });
}

function entryAbout(
  key: NewAgentKey,
  request: ProtectedRequest,
  action: 'agent_key_registered' | 'agent_key_revoked',
): NewAuditEntry {
  const { tenantId, agentId, keyId } = key;
  return {
    ...originOf(request),
    action,
    tenantId,
    resourceType: 'agent_key',
    resourceId: `${agentId}/${keyId}`,
    details: { agentId, keyId, keyAlgorithm: key.algorithm, publicKey: toHex(key.publicKey) },
    success: true,
    errorMessage: null,
  };
}

function refOf({ tenantId, agentId, keyId }: AgentKeyRef): object {
  return { tenantId, agentId, keyId };
}

function keyBody(key: AgentKey, now: Micros): object {
  return {
    keyId: key.keyId,
    keyAlgorithm: key.algorithm,
    publicKey: toHex(key.publicKey),
    status: agentKeyStatus(key, now).replaceAll(' ', '_'),
    validFrom: timeOf(key.validFrom),
    validTo: timeOf(key.validTo),
    revokedAt: timeOf(key.revokedAt),
    createdAt: timeOf(key.createdAt),
  };
}

function timeOf(micros: Micros | null): string | null {
  return micros === null ? null : formatTimestamp(micros, 'Z');
}
