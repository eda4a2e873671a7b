import type { Log } from '../../telemetry/log.ts';
import type { World } from '../../domain/types.ts';
import type { EventLog } from '../../storage/event-log.ts';
import { noteAnchor, readAnchorStatus, listPendingCommitments } from './handlers/anchor-commitments.ts';
import {
  createCommitment,
  type CommitmentHandlerDependencies,
  listCommitments,
  readCommitment,
} from './handlers/commitments.ts';
import { listEntityEvents } from './handlers/list-entity-events.ts';
import { listEvents } from './handlers/list-events.ts';
import { readHead } from './handlers/read-head.ts';
import { type Readiness, reportHealth, reportReadiness } from './handlers/report-health.ts';
import { ingestLegacyEvents, type LegacyIngestDependencies } from './handlers/ingest-legacy-events.ts';
import { proveEvent, verifyProof } from './handlers/prove-events.ts';
import type { ProtectedRoute, Route } from './route.ts';

export interface HandlerDependencies extends LegacyIngestDependencies, CommitmentHandlerDependencies {
  /** Read in this process: what every request may need is no call to another node. */
  readonly events: Pick<EventLog, 'heads' | 'readLegacy' | 'readLegacyEntity'>;
  readonly readiness: () => Promise<Readiness>;
  /** Of the product, as `/health` tells it. */
  readonly version: string;
  readonly log: Log;
}

/** Every route that the gateway serves. Paths that are not here are unknown, and other methods are refused. */
export function gatewayRoutes(deps: HandlerDependencies): readonly Route[] {
  const { events, log } = deps;
  return [
    {
      method: 'POST',
      path: '/api/v1/events/ingest',
      access: 'protected',
      errors: 'coded',
      handle: ingestLegacyEvents(deps),
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      access: 'protected',
      errors: 'text',
      handle: listEvents(events, log),
    },
    { method: 'GET', path: '/api/v1/head', access: 'protected', errors: 'text', handle: readHead(events) },
    {
      method: 'GET',
      path: '/api/v1/entities/:entity_type/:entity_id',
      access: 'protected',
      errors: 'text',
      handle: listEntityEvents(events),
    },
    ...commitmentRoutes('legacy', '/api/v1', deps),
    ...commitmentRoutes('ves', '/api/v1/ves', deps),
    ...anchorRoutes(deps),
    { method: 'GET', path: '/health', access: 'public', errors: 'text', handle: reportHealth(deps.version) },
    {
      method: 'GET',
      path: '/ready',
      access: 'public',
      errors: 'text',
      handle: reportReadiness(deps.readiness),
    },
  ];
}

/** Commitments and proofs: the same routes for both worlds. */
function commitmentRoutes(world: World, prefix: string, deps: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', errors: 'text' } as const;
  return [
    { ...facts, method: 'POST', path: `${prefix}/commitments`, handle: createCommitment(world, deps) },
    { ...facts, method: 'GET', path: `${prefix}/commitments`, handle: listCommitments(world, deps) },
    { ...facts, method: 'GET', path: `${prefix}/commitments/:batch_id`, handle: readCommitment(world, deps) },
    // Before the next: `verify` is no sequence number.
    { ...facts, method: 'POST', path: `${prefix}/proofs/verify`, handle: verifyProof(world, deps.sha256) },
    { ...facts, method: 'GET', path: `${prefix}/proofs/:sequence_number`, handle: proveEvent(world, deps) },
  ];
}

/** Where commitments stand on a chain; two of these routes have no `/api` before them. */
function anchorRoutes(deps: HandlerDependencies): ProtectedRoute[] {
  const facts = { access: 'protected', errors: 'text' } as const;
  return [
    { ...facts, method: 'GET', path: '/v1/commitments/pending', handle: listPendingCommitments(deps) },
    { ...facts, method: 'POST', path: '/v1/commitments/:batch_id/anchored', handle: noteAnchor(deps) },
    { ...facts, method: 'GET', path: '/api/v1/anchor/status', handle: readAnchorStatus() },
  ];
}
