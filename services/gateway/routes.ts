import type { Log } from '../../telemetry/log.ts';
import type { EventLog } from '../../storage/event-log.ts';
import { listEntityEvents } from './handlers/list-entity-events.ts';
import { listEvents } from './handlers/list-events.ts';
import { readHead } from './handlers/read-head.ts';
import { type Readiness, reportHealth, reportReadiness } from './handlers/report-health.ts';
import { ingestLegacyEvents, type LegacyIngestDependencies } from './handlers/ingest-legacy-events.ts';
import type { Route } from './route.ts';

export interface HandlerDependencies extends LegacyIngestDependencies {
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
