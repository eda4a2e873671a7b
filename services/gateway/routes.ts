import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Uuid, World } from '../../domain/types.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { AdminView } from '../../storage/admin-view.ts';
import type { ApiKeys } from '../../storage/api-keys.ts';
import type { AgentKeys } from '../../storage/agent-keys.ts';
import type { AuditEntries } from '../../storage/audit-log.ts';
import type { EventLog } from '../../storage/event-log.ts';
import type { Schemas } from '../../storage/schemas.ts';
import type { Projections } from '../../storage/projections.ts';
import type { SequencerKeys } from '../../storage/sequencer-keys.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import {
  listAdminAgents,
  listAdminStores,
  listAdminTenants,
  readAdminOverview,
} from './handlers/admin-lists.ts';
import {
  type ApiKeyHandlerDependencies,
  listAgentApiKeys,
  mintAgentApiKey,
  readAgent,
  revokeAgentApiKey,
} from './handlers/agent-api-keys.ts';
import type { SchemaRegistry } from '../schemas/schema-registry.ts';
import { listAgentKeys, registerAgentKey, revokeAgentKey } from './handlers/agent-keys.ts';
import { noteAnchor, readAnchorStatus, listPendingCommitments } from './handlers/anchor-commitments.ts';
import {
  createCommitment,
  type CommitmentHandlerDependencies,
  listCommitments,
  readCommitment,
} from './handlers/commitments.ts';
import {
  type DeadLetterHandlerDependencies,
  discardDeadLetter,
  listDeadLetters,
  retryDeadLetter,
} from './handlers/dead-letters.ts';
import { legacyEvents, vesEvents } from './handlers/event-source.ts';
import { showAdminPage } from './handlers/admin-page.ts';
import { listAuditEntries } from './handlers/list-audit-entries.ts';
import { listEntityEvents } from './handlers/list-entity-events.ts';
import { listEvents } from './handlers/list-events.ts';
import { listProjectionStreams, readProjection } from './handlers/projections.ts';
import { readCluster } from './handlers/read-cluster.ts';
import { readHead } from './handlers/read-head.ts';
import { readVesEvent } from './handlers/read-ves-event.ts';
import { type Readiness, reportHealth, reportReadiness } from './handlers/report-health.ts';
import { type NodeHealth, reportDetailedHealth } from './handlers/report-detailed-health.ts';
import { reportMetrics } from './handlers/report-metrics.ts';
import { ingestLegacyEvents, type LegacyIngestDependencies } from './handlers/ingest-legacy-events.ts';
import { ingestVesEvents, type VesIngestDependencies } from './handlers/ingest-ves-events.ts';
import {
  deleteSchema,
  listSchemas,
  readEventTypeSchemas,
  readLatestSchema,
  readSchema,
  registerSchema,
  setSchemaStatus,
  validatePayload,
} from './handlers/schemas.ts';
import { bundleProof } from './handlers/proof-bundle.ts';
import { proveEvent, verifyProof } from './handlers/prove-events.ts';
import { type RegistrationDependencies, registerAgent } from './handlers/register-agent.ts';
import { listTenantApiKeys, mintTenantApiKey, revokeTenantApiKey } from './handlers/tenant-api-keys.ts';
import { listSequencerKeys } from './handlers/sequencer-keys.ts';
import { describeAccess } from './openapi/describe-access.ts';
import { describeAdministration } from './openapi/describe-administration.ts';
import { describeAnchoring } from './openapi/describe-anchoring.ts';
import { describeCommitments } from './openapi/describe-commitments.ts';
import { describeEvents } from './openapi/describe-events.ts';
import { describeKeys } from './openapi/describe-keys.ts';
import { describeNode } from './openapi/describe-node.ts';
import { describeProjections } from './openapi/describe-projections.ts';
import { describeSchemas } from './openapi/describe-schemas.ts';
import { describeVes } from './openapi/describe-ves.ts';
import { showOpenApi } from './handlers/show-openapi.ts';
import { readReferenceFile, showReference } from './handlers/show-reference.ts';
import type { ProtectedRoute, PublicRoute, Route } from './route.ts';

export interface HandlerDependencies
  extends
    LegacyIngestDependencies,
    VesIngestDependencies,
    CommitmentHandlerDependencies,
    ApiKeyHandlerDependencies,
    DeadLetterHandlerDependencies,
    RegistrationDependencies {
  /** Read in this process: what every request may need is no call to another node. */
  readonly events: Pick<EventLog, 'heads' | 'readLegacy' | 'readLegacyEntity' | 'readVes' | 'readVesEvent'>;
  readonly apiKeys: ApiKeys;
  readonly agentKeys: AgentKeys;
  readonly schemas: Pick<Schemas, 'find' | 'list' | 'listVersions' | 'findVersion' | 'findActive'>;
  readonly schemaRegistry: SchemaRegistry;
  readonly sequencerKeys: Pick<SequencerKeys, 'list'>;
  readonly adminView: AdminView;
  readonly projections: Pick<Projections, 'readEntity' | 'listStreams' | 'listStalledStreams'>;
  /** This node's name, and the way to all of them. */
  readonly nodeId: string;
  readonly cluster: ClusterView;
  readonly auditEntries: Pick<AuditEntries, 'list'>;
  readonly audit: Pick<AuditLog, 'record' | 'recordFirst'>;
  readonly sequencerId: Uuid;
  readonly clock: Pick<Clock, 'nowMicros'>;
  readonly readiness: () => Promise<Readiness>;
  readonly health: () => Promise<NodeHealth>;
  /** What this node counts, in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Of the product, as `/health` tells it. */
  readonly version: string;
  readonly log: Log;
}

/** Every route that the gateway serves. Paths that are not here are unknown, and other methods are refused. */
export function gatewayRoutes(deps: HandlerDependencies): readonly Route[] {
  const { events, log } = deps;
  const routes: readonly Route[] = [
    {
      method: 'POST',
      path: '/api/v1/events/ingest',
      access: 'protected',
      errors: 'coded',
      description: describeEvents.ingest,
      handle: ingestLegacyEvents(deps),
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      access: 'protected',
      errors: 'text',
      description: describeEvents.list,
      handle: listEvents(events, legacyEvents(events), log),
    },
    {
      method: 'GET',
      path: '/api/v1/head',
      access: 'protected',
      errors: 'text',
      description: describeEvents.head,
      handle: readHead('legacy', events),
    },
    {
      method: 'GET',
      path: '/api/v1/entities/:entity_type/:entity_id',
      access: 'protected',
      errors: 'text',
      description: describeEvents.entity,
      handle: listEntityEvents(events),
    },
    ...vesRoutes(deps),
    ...keyRoutes(deps),
    ...agentRoutes(deps),
    ...tenantRoutes(deps),
    ...schemaRoutes(deps),
    ...commitmentRoutes('legacy', '/api/v1', deps),
    ...commitmentRoutes('ves', '/api/v1/ves', deps),
    ...anchorRoutes(deps),
    ...projectionRoutes(deps),
    ...adminRoutes(deps),
    ...nodeRoutes(deps),
    ...referenceRoutes(() => routes, deps),
  ];
  return routes;
}

/** How this node is; served by every node, also by one that is no gateway. */
export function nodeRoutes({ version, readiness, health, metrics }: HandlerDependencies): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/health',
      access: 'public',
      errors: 'text',
      description: describeNode.health,
      handle: reportHealth(version),
    },
    {
      method: 'GET',
      path: '/ready',
      access: 'public',
      errors: 'text',
      description: describeNode.ready,
      handle: reportReadiness(readiness),
    },
    {
      method: 'GET',
      path: '/health/detailed',
      access: 'protected',
      observes: true,
      audience: 'admin',
      errors: 'flat',
      description: describeNode.detailed,
      handle: reportDetailedHealth(version, health),
    },
    {
      method: 'GET',
      path: '/metrics',
      access: 'protected',
      observes: true,
      takesMetricsToken: true,
      audience: 'admin',
      errors: 'text',
      description: describeNode.metrics,
      handle: reportMetrics(metrics),
    },
  ];
}

/** What all of these routes are, for programs and for readers. */
function referenceRoutes(
  routes: () => readonly Route[],
  { version }: Pick<HandlerDependencies, 'version'>,
): PublicRoute[] {
  const facts = { method: 'GET', access: 'public', errors: 'text' } as const;
  const { document, reference, referenceFile } = describeNode;
  return [
    { ...facts, path: '/openapi.json', description: document, handle: showOpenApi(routes, version) },
    { ...facts, path: '/docs{/}', description: reference, handle: showReference() },
    { ...facts, path: '/docs/:file', description: referenceFile, handle: readReferenceFile() },
  ];
}

/** The signed world. */
function vesRoutes(deps: HandlerDependencies): ProtectedRoute[] {
  const { events, log } = deps;
  const facts = { access: 'protected', errors: 'text' } as const;
  return [
    {
      ...facts,
      method: 'POST',
      path: '/api/v1/ves/events/ingest',
      errors: 'coded',
      description: describeVes.ingest,
      handle: ingestVesEvents(deps),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/ves/events',
      description: describeVes.list,
      handle: listEvents(events, vesEvents(events, deps), log),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/ves/events/:event_id',
      description: describeVes.one,
      handle: readVesEvent(events, deps),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/ves/head',
      description: describeVes.head,
      handle: readHead('ves', events),
    },
  ];
}

/** The keys with which agents sign, and those of the sequencer. */
function keyRoutes({
  agentKeys,
  sequencerKeys,
  sequencerId,
  audit,
  clock,
}: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', errors: 'text' } as const;
  const ofAgent = '/api/v1/agents/:agent_id/keys';
  return [
    {
      ...facts,
      method: 'POST',
      path: '/api/v1/agents/keys',
      description: describeKeys.register,
      handle: registerAgentKey(agentKeys, audit),
    },
    {
      ...facts,
      method: 'GET',
      path: ofAgent,
      description: describeKeys.list,
      handle: listAgentKeys(agentKeys, clock),
    },
    {
      ...facts,
      method: 'DELETE',
      path: `${ofAgent}/:key_id`,
      description: describeKeys.revoke,
      handle: revokeAgentKey(agentKeys, audit, clock),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/sequencer/keys',
      description: describeKeys.sequencer,
      handle: listSequencerKeys(sequencerId, sequencerKeys),
    },
  ];
}

/** Agents and their API keys. */
function agentRoutes(deps: HandlerDependencies): Route[] {
  const facts = { access: 'protected', errors: 'flat' } as const;
  const agent = '/api/v1/agents/:agent_id';
  return [
    // Before the next: `register` is no agent.
    {
      method: 'POST',
      path: '/api/v1/agents/register',
      access: 'public',
      errors: 'flat',
      description: describeAccess.register,
      handle: registerAgent(deps),
    },
    { ...facts, method: 'GET', path: agent, description: describeAccess.agent, handle: readAgent(deps) },
    {
      ...facts,
      method: 'POST',
      path: `${agent}/api-keys`,
      description: describeAccess.mintForAgent,
      handle: mintAgentApiKey(deps),
    },
    {
      ...facts,
      method: 'GET',
      path: `${agent}/api-keys`,
      description: describeAccess.listOfAgent,
      handle: listAgentApiKeys(deps),
    },
    {
      ...facts,
      method: 'DELETE',
      path: `${agent}/api-keys/:key_prefix`,
      description: describeAccess.revokeOfAgent,
      handle: revokeAgentApiKey(deps),
    },
  ];
}

/** API keys of tenants, their first ones too. */
function tenantRoutes(deps: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', audience: 'admin', errors: 'flat' } as const;
  const keys = '/api/v1/admin/tenants/:tenant_id/api-keys';
  return [
    {
      ...facts,
      method: 'POST',
      path: keys,
      description: describeAccess.mintForTenant,
      handle: mintTenantApiKey(deps),
    },
    {
      ...facts,
      method: 'GET',
      path: keys,
      description: describeAccess.listOfTenant,
      handle: listTenantApiKeys(deps),
    },
    {
      ...facts,
      method: 'DELETE',
      path: `${keys}/:key_prefix`,
      description: describeAccess.revokeOfTenant,
      handle: revokeTenantApiKey(deps),
    },
  ];
}

/** What payloads must look like. */
function schemaRoutes({ schemas, schemaRegistry, audit }: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', errors: 'text' } as const;
  const all = '/api/v1/schemas';
  const one = `${all}/:schema_id`;
  const ofEventType = `${all}/event-type/:event_type`;
  return [
    { ...facts, method: 'GET', path: all, description: describeSchemas.list, handle: listSchemas(schemas) },
    {
      ...facts,
      method: 'POST',
      path: all,
      description: describeSchemas.register,
      handle: registerSchema(schemaRegistry, audit),
    },
    {
      ...facts,
      method: 'POST',
      path: `${all}/validate`,
      description: describeSchemas.validate,
      handle: validatePayload(schemaRegistry),
    },
    { ...facts, method: 'GET', path: one, description: describeSchemas.one, handle: readSchema(schemas) },
    {
      ...facts,
      method: 'PUT',
      path: `${one}/status`,
      description: describeSchemas.status,
      handle: setSchemaStatus(schemaRegistry, audit),
    },
    {
      ...facts,
      method: 'DELETE',
      path: one,
      description: describeSchemas.remove,
      handle: deleteSchema(schemaRegistry, audit),
    },
    {
      ...facts,
      method: 'GET',
      path: ofEventType,
      description: describeSchemas.ofEventType,
      handle: readEventTypeSchemas(schemas),
    },
    {
      ...facts,
      method: 'GET',
      path: `${ofEventType}/latest`,
      description: describeSchemas.latest,
      handle: readLatestSchema(schemas),
    },
  ];
}

/** Commitments and proofs: the same routes for both worlds. */
function commitmentRoutes(world: World, prefix: string, deps: HandlerDependencies): ProtectedRoute[] {
  const described = describeCommitments(world);
  const facts = { access: 'protected', errors: 'text' } as const;
  return [
    {
      ...facts,
      method: 'POST',
      path: `${prefix}/commitments`,
      description: described.create,
      handle: createCommitment(world, deps),
    },
    {
      ...facts,
      method: 'GET',
      path: `${prefix}/commitments`,
      description: described.list,
      handle: listCommitments(world, deps),
    },
    {
      ...facts,
      method: 'GET',
      path: `${prefix}/commitments/:batch_id`,
      description: described.read,
      handle: readCommitment(world, deps),
    },
    // Before the next: `verify` is no sequence number.
    {
      ...facts,
      method: 'POST',
      path: `${prefix}/proofs/verify`,
      description: described.verify,
      handle: verifyProof(world, deps.sha256),
    },
    {
      ...facts,
      method: 'GET',
      path: `${prefix}/proofs/:sequence_number`,
      description: described.prove,
      handle: proveEvent(world, deps),
    },
    {
      ...facts,
      method: 'GET',
      path: `${prefix}/proofs/:sequence_number/bundle`,
      description: described.bundle,
      handle: bundleProof(world, deps),
    },
  ];
}

/** Where commitments stand on a chain; two of these routes have no `/api` before them. */
function anchorRoutes(deps: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', errors: 'text' } as const;
  return [
    {
      ...facts,
      method: 'GET',
      path: '/v1/commitments/pending',
      description: describeAnchoring.pending,
      handle: listPendingCommitments(deps),
    },
    {
      ...facts,
      method: 'POST',
      path: '/v1/commitments/:batch_id/anchored',
      description: describeAnchoring.note,
      handle: noteAnchor(deps),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/anchor/status',
      description: describeAnchoring.status,
      handle: readAnchorStatus(),
    },
  ];
}

/** What events add up to, and those that were refused. */
function projectionRoutes(deps: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', audience: 'admin', errors: 'flat' } as const;
  const deadLetters = '/api/v1/admin/dead-letters';
  return [
    {
      method: 'GET',
      path: '/api/v1/projections/:entity_type/:entity_id',
      access: 'protected',
      errors: 'text',
      description: describeProjections.entity,
      handle: readProjection(deps.projections),
    },
    {
      ...facts,
      method: 'GET',
      path: '/api/v1/admin/projections',
      description: describeProjections.streams,
      handle: listProjectionStreams(deps.projections),
    },
    {
      ...facts,
      method: 'GET',
      path: deadLetters,
      description: describeProjections.deadLetters,
      handle: listDeadLetters(deps),
    },
    {
      ...facts,
      method: 'POST',
      path: `${deadLetters}/:id/retry`,
      description: describeProjections.retry,
      handle: retryDeadLetter(deps),
    },
    {
      ...facts,
      method: 'DELETE',
      path: `${deadLetters}/:id`,
      description: describeProjections.discard,
      handle: discardDeadLetter(deps),
    },
  ];
}

/** What administrators look at; the administrator of a tenant sees that tenant. */
function adminRoutes({ adminView, auditEntries, nodeId, cluster, clock }: HandlerDependencies): Route[] {
  const page = { method: 'GET', access: 'public', audience: 'admin', errors: 'text' } as const;
  const facts = { method: 'GET', access: 'protected', audience: 'admin', errors: 'flat' } as const;
  return [
    {
      ...facts,
      path: '/api/v1/admin/overview',
      description: describeAdministration.overview,
      handle: readAdminOverview(adminView),
    },
    {
      ...facts,
      path: '/api/v1/admin/tenants',
      description: describeAdministration.tenants,
      handle: listAdminTenants(adminView),
    },
    {
      ...facts,
      path: '/api/v1/admin/stores',
      description: describeAdministration.stores,
      handle: listAdminStores(adminView),
    },
    {
      ...facts,
      path: '/api/v1/admin/agents',
      description: describeAdministration.agents,
      handle: listAdminAgents(adminView),
    },
    {
      ...facts,
      path: '/api/v1/admin/audit',
      description: describeAdministration.audit,
      handle: listAuditEntries(auditEntries),
    },
    {
      ...facts,
      path: '/api/v1/admin/cluster',
      description: describeAdministration.cluster,
      handle: readCluster(nodeId, cluster, clock),
    },
    { ...page, path: '/admin{/}', description: describeAdministration.page, handle: showAdminPage() },
  ];
}
