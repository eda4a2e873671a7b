import { reportedStoresMax } from '../../cluster/node-report.ts';
import { actionLengthMax, auditLimitDefault, auditLimitMax } from '../handlers/list-audit-entries.ts';
import { adminRowsMax } from '../handlers/admin-lists.ts';
import { optionalQuery, type RouteDescription } from './description.ts';
import { agentId, count, limitQuery, permissions, sample, storeId, tenantId, time } from './samples.ts';
import {
  about,
  answer,
  anything,
  flag,
  integer,
  list,
  nullable,
  nullYet,
  number,
  oneOf,
  text,
  u64,
} from './shape.ts';

const tag = 'administration';
const who = 'admin';
const total = integer(1);
const rows = (row: Parameters<typeof answer>[0]) => ({
  about: 'Latest activity first',
  shape: list(answer(row), { maxItems: adminRowsMax }),
});

const ownedStore = answer({
  tenantId,
  storeId,
  requestsWaiting: integer(0),
  epoch: integer(1),
  heads: answer({ legacy: u64(1), ves: u64(0) }),
  idleMs: number(18.2),
});

const sequencer = answer({
  storesOwned: total,
  requestsWaiting: integer(0),
  stores: list(ownedStore, { maxItems: reportedStoresMax }),
  takeovers: integer(0),
  lastTakeover: nullYet(
    answer({
      tenantId,
      storeId,
      from: text('node-2'),
      epoch: integer(2),
      at: time,
      durationMs: number(12.4),
    }),
  ),
});

const clusterNode = answer({
  nodeId: text('node-1'),
  state: oneOf(['answers', 'silent', 'gone']),
  services: list(text('gateway')),
  version: nullable(text('0.1.0')),
  startedAt: nullable(time),
  bytesInFlight: nullable(integer(0)),
  bytesInFlightMax: nullable(integer(536_870_912)),
  sequencer: nullable(sequencer),
  leads: nullable(
    list(answer({ role: text('commitments'), term: nullable(integer(1)), since: nullable(time) })),
  ),
});

export const describeAdministration = {
  overview: {
    id: 'readAdminOverview',
    tag,
    summary: 'The whole in a few numbers; for the administrator of a tenant those of the tenant',
    who,
    answer: {
      about: 'Heads are those of the legacy streams, activity that of both',
      shape: answer({
        tenants: total,
        stores: total,
        agents: total,
        apiKeys: total,
        activeApiKeys: total,
        totalHeadSequence: u64(1),
        activeStores24h: total,
        maxProjectionLag: integer(0),
        lastActivityAt: nullable(time),
      }),
    },
  },
  tenants: {
    id: 'listAdminTenants',
    tag,
    summary: 'Tenants that own API keys',
    who,
    answer: rows({
      tenantId,
      agentCount: total,
      apiKeyCount: total,
      activeApiKeys: total,
      storeCount: total,
      totalHeadSequence: u64(1),
      activeStores24h: total,
      maxProjectionLag: integer(0),
      lastKeyAt: nullable(time),
      lastActivityAt: nullable(time),
    }),
  },
  stores: {
    id: 'listAdminStores',
    tag,
    summary: 'Stores that were written to',
    who,
    answer: rows({
      tenantId,
      storeId,
      headSequence: u64(1),
      lastProjectedSequence: integer(0),
      projectionLag: integer(0),
      agentCount: total,
      lastAgentSyncAt: nullYet(time),
      updatedAt: time,
    }),
  },
  agents: {
    id: 'listAdminAgents',
    tag,
    summary: 'Agents that own API keys',
    who,
    answer: rows({
      tenantId,
      agentId,
      permissions,
      storeScope: oneOf(['all', 'scoped']),
      apiKeyCount: total,
      activeApiKeys: total,
      firstKeyAt: nullable(time),
      lastKeyAt: nullable(time),
      storeId: nullYet(storeId),
      lastSyncAt: nullYet(time),
      lastPushedSequence: nullYet(u64(1)),
      lastPulledSequence: nullYet(u64(1)),
    }),
  },
  audit: {
    id: 'listAuditEntries',
    tag,
    summary: 'Who changed keys, agents, schemas and settings',
    who,
    parameters: [
      optionalQuery('tenant_id', 'What concerns this tenant', tenantId),
      optionalQuery('action', 'Only this action', text('api_key_created', { maxLength: actionLengthMax })),
      optionalQuery('from', 'The first moment that counts', time),
      optionalQuery('to', 'The first moment that does not', time),
      optionalQuery('after', 'nextAfter of the page before', text('1769860800000000-7')),
      limitQuery(auditLimitDefault, auditLimitMax),
    ],
    answer: {
      about: 'Newest first',
      shape: answer({
        entries: list(
          answer({
            id: integer(7),
            timestamp: time,
            action: text('api_key_created'),
            actor: text('bootstrap_admin'),
            actorType: oneOf(['api_key', 'jwt', 'public', 'system', 'command']),
            tenantId: nullable(tenantId),
            resourceType: text('api_key'),
            resourceId: nullable(text(sample.hash.slice(0, 16))),
            requestId: nullable(text(sample.generated)),
            ipAddress: nullable(text('192.0.2.7')),
            userAgent: nullable(text('curl/8.5.0')),
            details: about('What changed; never a secret', anything({})),
            success: flag(true),
            errorMessage: nullYet(text('…')),
          }),
        ),
        count,
        nextAfter: nullYet(text('1769860800000000-7')),
      }),
    },
  },
  cluster: {
    id: 'readCluster',
    tag,
    summary: 'The nodes of the cluster, as the one that answers sees them',
    who: 'bootstrap',
    parameters: [
      optionalQuery(
        'stores',
        `How many of its stores each node names, those used last first; above ${reportedStoresMax} it counts as that`,
        integer(0),
      ),
    ],
    answer: {
      about: 'All that are members, or were lately',
      shape: answer({ asOf: time, answeredBy: text('node-1'), nodes: list(clusterNode) }),
    },
  },
  page: {
    id: 'showAdminPage',
    tag,
    summary: "A page for browsers that asks for an administrator's key and shows the lists",
    who: 'everyone',
    answer: { about: 'The page', shape: null, contentType: 'text/html; charset=utf-8' },
  },
} as const satisfies Record<string, RouteDescription>;
