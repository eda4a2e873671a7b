import { isBootstrapAdmin } from '../../../domain/access.ts';
import { Refused } from '../../../domain/errors.ts';
import { grantByAdmin, grantToSelf, permissionsOf } from '../../../domain/key-grant.ts';
import type { AgentRef, ApiKeyRecord, ApiKeys } from '../../../storage/api-keys.ts';
import { mintApiKey, revokeByPrefix } from '../../access/key-minting.ts';
import { hashPrefixOf } from '../../access/new-api-key.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import { originOf } from '../audited-request.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { apiKeyBody } from './api-key-answer.ts';
import { readApiKeyRequest } from './api-key-request.ts';
import { apiKeyPage, pathUuid } from './reading.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

export interface ApiKeyHandlerDependencies {
  readonly apiKeys: ApiKeys;
  readonly audit: Pick<AuditLog, 'record'>;
  /** Of one agent, and of a tenant's keys that are bound to none. */
  readonly activeApiKeysMax: number;
}

/** What an agent may do, as its last changed key says. */
export function readAgent({ apiKeys }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const { agent, record } = await permittedAgent(request, apiKeys);
    if (record === null) throw unknownAgent();
    const { principal, active } = record;
    return jsonReply({
      agentId: agent.agentId,
      tenantId: agent.tenantId,
      active,
      permissions: permissionsOf(principal),
      storeIds: principal.storeIds,
      rateLimit: principal.requestsPerMinuteMax,
    });
  };
}

/** Makes an API key for an agent: administrators give any rights, an agent no more than it has. */
export function mintAgentApiKey({ apiKeys, audit, activeApiKeysMax }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const { agent, record, isAdmin } = await permittedAgent(request, apiKeys);
    const wanted = readApiKeyRequest(await request.readBody());
    // A token may speak for an agent that never had a key; an administrator's slip of the pen should not make one.
    if (isAdmin && record === null) throw unknownAgent();
    const grant = isAdmin ? grantByAdmin : grantToSelf;
    const principal = grant(request.principal, wanted, agent);
    const key = await mintApiKey(apiKeys, principal, activeApiKeysMax);
    const permissions = permissionsOf(principal);
    const keyHashPrefix = hashPrefixOf(key.hash);
    await audit.record({
      ...originOf(request),
      action: 'api_key_created',
      tenantId: agent.tenantId,
      resourceType: 'api_key',
      resourceId: keyHashPrefix,
      details: {
        agentId: agent.agentId,
        permissions,
        storeIds: principal.storeIds,
        rateLimit: principal.requestsPerMinuteMax,
      },
      success: true,
      errorMessage: null,
    });
    return jsonReply({
      success: true,
      apiKey: key.text,
      keyHashPrefix,
      permissions,
      message: 'keep the key now: it is not shown again',
    });
  };
}

/** An agent's API keys, revoked ones too, newest first. */
export function listAgentApiKeys({ apiKeys }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const page = apiKeyPage(request.query());
    const { agent, record } = await permittedAgent(request, apiKeys);
    if (record === null) throw unknownAgent();
    const found = await apiKeys.list(agent, page);
    return jsonReply({ keys: found.map(apiKeyBody), count: found.length });
  };
}

/** Makes a key unusable for good, on every node within a second. */
export function revokeAgentApiKey({ apiKeys, audit }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const { agent } = await permittedAgent(request, apiKeys);
    const key = await revokeByPrefix(apiKeys, agent, request.pathParameter('key_prefix'));
    await audit.record({
      ...originOf(request),
      action: 'api_key_revoked',
      tenantId: agent.tenantId,
      resourceType: 'api_key',
      resourceId: hashPrefixOf(key.hash),
      details: { agentId: agent.agentId, wasActive: key.active },
      success: true,
      errorMessage: null,
    });
    return jsonReply({
      success: true,
      message: 'the key is revoked; within a second no node accepts it',
    });
  };
}

interface PermittedAgent {
  readonly agent: AgentRef;
  /** The agent's key that was last changed; null when it has none, or, for all that the caller may know, does not exist. */
  readonly record: ApiKeyRecord | null;
  /** Whether the caller acts as an administrator and not as the agent. */
  readonly isAdmin: boolean;
}

/**
 * The agent that the path names, in the caller's tenant. The bootstrap administrator has none and finds the agent
 * wherever it is; `tenant_id` in the query says which is meant when several tenants use the same id.
 * @throws Refused unless the caller is the agent or an administrator
 */
async function permittedAgent(
  request: ProtectedRequest,
  apiKeys: Pick<ApiKeys, 'findLatest' | 'tenantsOfAgent'>,
): Promise<PermittedAgent> {
  const { principal } = request;
  const agentId = pathUuid(request, 'agent_id');
  if (principal.agentId !== agentId && !principal.admin) {
    throw new Refused('INSUFFICIENT_PERMISSIONS', 'only the agent itself and administrators may do this');
  }
  let { tenantId } = principal;
  if (isBootstrapAdmin(principal)) {
    const [found, another] = await apiKeys.tenantsOfAgent(agentId, 2);
    const given = request.query().optionalUuid('tenant_id');
    if (given === null && another !== undefined) {
      throw new Refused(
        'CONFLICT',
        'several tenants have an agent of this id; say which with tenant_id in the query',
      );
    }
    tenantId = given ?? found ?? tenantId;
  }
  const agent = { tenantId, agentId };
  return { agent, record: await apiKeys.findLatest(agent), isAdmin: principal.admin };
}

/** The same for an agent of another tenant, so that nobody can probe for one. */
function unknownAgent(): Refused {
  return new Refused('NOT_FOUND', 'no agent of this id has an API key');
}
