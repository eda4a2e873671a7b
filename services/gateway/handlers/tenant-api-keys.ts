import { denialOf, nilUuid } from '../../../domain/access.ts';
import { Refused } from '../../../domain/errors.ts';
import { grantByAdmin, permissionsOf } from '../../../domain/key-grant.ts';
import type { TenantId } from '../../../domain/types.ts';
import { mintApiKey, revokeByPrefix } from '../../access/key-minting.ts';
import { hashPrefixOf } from '../../access/new-api-key.ts';
import { originOf } from '../audited-request.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import type { ApiKeyHandlerDependencies } from './agent-api-keys.ts';
import { apiKeyBody } from './api-key-answer.ts';
import { readApiKeyRequest } from './api-key-request.ts';
import { apiKeyPage, pathUuid } from './reading.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

/**
 * Makes a key of a tenant, the way in for a new agent. The tenant's own administrators may, and the bootstrap administrator,
 * who alone can make a tenant's first key, since nobody else has one of it.
 */
export function mintTenantApiKey({ apiKeys, audit, activeApiKeysMax }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const tenantId = administeredTenant(request);
    const wanted = readApiKeyRequest(await request.readBody());
    checkNilTenant(tenantId, wanted.admin === true && wanted.agentId === null);
    const principal = grantByAdmin(request.principal, wanted, { tenantId, agentId: wanted.agentId });
    const key = await mintApiKey(apiKeys, principal, activeApiKeysMax);
    const keyHashPrefix = hashPrefixOf(key.hash);
    const facts = {
      agentId: principal.agentId,
      permissions: permissionsOf(principal),
      storeIds: principal.storeIds,
      rateLimit: principal.requestsPerMinuteMax,
    };
    await audit.record({
      ...originOf(request),
      action: 'api_key_created',
      tenantId,
      resourceType: 'api_key',
      resourceId: keyHashPrefix,
      details: facts,
      success: true,
      errorMessage: null,
    });
    return jsonReply({
      success: true,
      tenantId,
      apiKey: key.text,
      keyHashPrefix,
      ...facts,
      message: 'keep the key now: it is not shown again',
    });
  };
}

/** All keys of a tenant, those of its agents too, newest first. */
export function listTenantApiKeys({ apiKeys }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const page = apiKeyPage(request.query());
    const tenantId = administeredTenant(request);
    const found = await apiKeys.list({ tenantId, agentId: null }, page);
    return jsonReply({ tenantId, keys: found.map(apiKeyBody), count: found.length });
  };
}

/** Makes any key of a tenant unusable for good, on every node within a second. */
export function revokeTenantApiKey({ apiKeys, audit }: ApiKeyHandlerDependencies): Handle {
  return async (request) => {
    const tenantId = administeredTenant(request);
    const owner = { tenantId, agentId: null };
    const key = await revokeByPrefix(apiKeys, owner, request.pathParameter('key_prefix'));
    await audit.record({
      ...originOf(request),
      action: 'api_key_revoked',
      tenantId,
      resourceType: 'api_key',
      resourceId: hashPrefixOf(key.hash),
      details: { agentId: key.principal.agentId, wasActive: key.active },
      success: true,
      errorMessage: null,
    });
    return jsonReply({
      success: true,
      message: 'the key is revoked; within a second no node accepts it',
    });
  };
}

/** The tenant that the path names. @throws Refused unless the caller administers it */
function administeredTenant(request: ProtectedRequest): TenantId {
  const tenantId = pathUuid(request, 'tenant_id');
  const denial = denialOf(request.principal, 'admin', { tenantId, storeId: nilUuid });
  if (denial !== null) throw new Refused('INSUFFICIENT_PERMISSIONS', denial);
  return tenantId;
}

/** The nil tenant has no data: a key of it is another bootstrap administrator, or of no use. */
function checkNilTenant(tenantId: TenantId, isPlainAdmin: boolean): void {
  if (tenantId === nilUuid && !isPlainAdmin) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      'the nil tenant is that of bootstrap administrators: its keys need admin true, and no agentId',
    );
  }
}
