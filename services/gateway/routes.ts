import type { Log } from '../../telemetry/log.ts';
import type { EventLog } from '../../storage/event-log.ts';
import { entityHistory } from './handlers/entity-history.ts';
import { eventList } from './handlers/event-list.ts';
import { head } from './handlers/head.ts';
import { health, type Readiness, ready } from './handlers/health.ts';
import { legacyIngest, type LegacyIngestDependencies } from './handlers/legacy-ingest.ts';
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
      handle: legacyIngest(deps),
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      access: 'protected',
      errors: 'text',
      handle: eventList(events, log),
    },
    { method: 'GET', path: '/api/v1/head', access: 'protected', errors: 'text', handle: head(events) },
    {
      method: 'GET',
      path: '/api/v1/entities/:entity_type/:entity_id',
      access: 'protected',
      errors: 'text',
      handle: entityHistory(events),
    },
    { method: 'GET', path: '/health', access: 'public', errors: 'text', handle: health(deps.version) },
    { method: 'GET', path: '/ready', access: 'public', errors: 'text', handle: ready(deps.readiness) },
  ];
}
