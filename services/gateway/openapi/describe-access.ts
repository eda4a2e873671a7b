import { apiKeyRequestNames, apiKeyStoresMax } from '../handlers/api-key-request.ts';
import { apiKeyPageMax } from '../handlers/reading.ts';
import { registrationLimits, registrationNames } from '../handlers/registration-request.ts';
import { optionalQuery, pathParameter, type RouteDescription, type ValueSource } from './description.ts';
import {
  agentId,
  count,
  generatedId,
  limitQuery,
  permissions,
  rateLimit,
  sample,
  storeId,
  storeIds,
  tenantId,
  time,
} from './samples.ts';
import { about, absent, answer, flag, list, nullable, oneOf, optional, request, text, u32 } from './shape.ts';

const success = oneOf([true]);
const message = text('…');
const prefix = text(sample.hash.slice(0, 16), { pattern: '^[0-9a-f]{16}$' });
const apiKey = about('Shown here and never again', text('ss_11111111…', { pattern: '^ss_' }));

const keyRequest = {
  storeIds: optional(about('All stores when absent', list(storeId, { maxItems: apiKeyStoresMax }))),
  readOnly: optional(flag(false)),
  admin: optional(flag(false)),
  rateLimit: optional(about('Requests a minute; no limit when absent', u32(600))),
};

const keys = list(
  answer({
    keyHashPrefix: prefix,
    active: flag(true),
    permissions,
    rateLimit: nullable(rateLimit),
    agentId: nullable(agentId),
    storeIds,
    createdAt: time,
  }),
);

const page = [
  optionalQuery('after', 'The keyHashPrefix that the page before ended with', text(sample.hash.slice(0, 16))),
  limitQuery(apiKeyPageMax, apiKeyPageMax),
];
const whichTenant = optionalQuery(
  'tenant_id',
  'For the bootstrap administrator: which tenant is meant when several have an agent of this id',
  tenantId,
);
const ofAgent = pathParameter('agent_id', 'The agent', agentId);
const ofTenant = pathParameter('tenant_id', 'The tenant', tenantId);
const ofKey = (operation: string) => {
  const from: ValueSource = { operation, pointer: '/keyHashPrefix' };
  return pathParameter('key_prefix', "The first digits of the key's SHA-256 in hex", prefix, from);
};

const severalTenants = 'Several tenants have an agent of this id: tenant_id says which is meant';
const tooMany = 'The owner has as many active keys as it may';
const ambiguous = 'Several keys begin with this prefix';
const unknownAgent = 'No agent of this id has an API key in a tenant that the caller may see';
const revoked = {
  about: 'No node accepts it a second later; once more changes nothing',
  shape: answer({ success, message }),
};
const needs = ['mintTenantApiKey'];

export const describeAccess = {
  register: {
    id: 'registerAgent',
    tag: 'access',
    summary:
      'Makes an agent in a tenant of its own, for anyone who asks; off unless the operator turns it on',
    who: 'everyone',
    body: request(registrationNames, {
      name: text('inventory bot', { maxLength: registrationLimits.nameBytesMax }),
      description: optional(text('counts', { maxLength: registrationLimits.descriptionBytesMax })),
      storeIds: absent(list(storeId, { maxItems: registrationLimits.storesMax })),
      readOnly: optional(flag(false)),
      rateLimit: optional(u32(600)),
      tenantId: absent(about('Refused', tenantId)),
      admin: absent(about('Refused when true', flag(false))),
    }),
    answer: {
      about: 'The agent and its key',
      shape: answer({ success, agentId: generatedId, tenantId: generatedId, apiKey, permissions, message }),
    },
    refusals: {
      403: 'This node registers nobody, or an administrator was asked for',
      429: 'The address has tried too often',
      503: 'Not at the moment; nothing was stored',
      504: 'No answer in time',
    },
  },
  agent: {
    id: 'readAgent',
    tag: 'access',
    summary: 'Tells what an agent may do',
    who: 'self or admin',
    parameters: [ofAgent, whichTenant],
    answer: {
      about: 'As its last changed key says',
      shape: answer({
        agentId,
        tenantId,
        active: flag(true),
        permissions,
        storeIds,
        rateLimit: nullable(rateLimit),
      }),
    },
    refusals: { 404: unknownAgent, 409: severalTenants },
    needs,
  },
  mintForAgent: {
    id: 'mintAgentApiKey',
    tag: 'access',
    summary: 'Makes an API key for an agent that has one: an agent gives itself no more than it has',
    who: 'self or admin',
    parameters: [ofAgent, whichTenant],
    body: request(apiKeyRequestNames, {
      ...keyRequest,
      agentId: absent(about('Of no effect here', agentId)),
    }),
    answer: {
      about: 'The key',
      shape: answer({ success, apiKey, keyHashPrefix: prefix, permissions, message }),
    },
    refusals: { 404: unknownAgent, 409: `${tooMany}. ${severalTenants}` },
    needs,
  },
  listOfAgent: {
    id: 'listAgentApiKeys',
    tag: 'access',
    summary: 'Lists the API keys of an agent, revoked ones too',
    who: 'self or admin',
    parameters: [ofAgent, whichTenant, ...page],
    answer: { about: 'Newest first', shape: answer({ keys, count }) },
    refusals: { 404: unknownAgent, 409: severalTenants },
    needs,
  },
  revokeOfAgent: {
    id: 'revokeAgentApiKey',
    tag: 'access',
    summary: 'Makes an API key of an agent unusable for good',
    who: 'self or admin',
    parameters: [ofAgent, ofKey('mintAgentApiKey'), whichTenant],
    answer: revoked,
    refusals: { 404: 'The agent has no such key', 409: `${ambiguous}. ${severalTenants}` },
  },
  mintForTenant: {
    id: 'mintTenantApiKey',
    tag: 'access',
    summary:
      "Makes an API key of a tenant, an agent's first one too; a tenant's first one takes the bootstrap administrator",
    who: 'admin',
    parameters: [ofTenant],
    body: request(apiKeyRequestNames, {
      ...keyRequest,
      agentId: optional(about('The key is bound to this agent', agentId)),
    }),
    answer: {
      about: 'The key',
      shape: answer({
        success,
        tenantId,
        apiKey,
        keyHashPrefix: prefix,
        agentId: nullable(agentId),
        permissions,
        storeIds,
        rateLimit: nullable(rateLimit),
        message,
      }),
    },
    refusals: { 409: tooMany },
  },
  listOfTenant: {
    id: 'listTenantApiKeys',
    tag: 'access',
    summary: 'Lists the API keys of a tenant, those of its agents and revoked ones too',
    who: 'admin',
    parameters: [ofTenant, ...page],
    answer: { about: 'Newest first', shape: answer({ tenantId, keys, count }) },
    needs,
  },
  revokeOfTenant: {
    id: 'revokeTenantApiKey',
    tag: 'access',
    summary: 'Makes any API key of a tenant unusable for good',
    who: 'admin',
    parameters: [ofTenant, ofKey('mintTenantApiKey')],
    answer: revoked,
    refusals: { 404: 'The tenant has no such key', 409: ambiguous },
  },
} as const satisfies Record<string, RouteDescription>;
