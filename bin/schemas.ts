import type { Settings } from '../config/read-settings.ts';
import { ActiveSchemas } from '../services/schemas/active-schemas.ts';
import { CompiledSchemas } from '../services/schemas/compiled-schemas.ts';
import { SchemaChecks } from '../services/schemas/schema-checks.ts';
import { SchemaRegistry } from '../services/schemas/schema-registry.ts';
import type { TurnBudget } from '../services/sequencer/turn-budget.ts';
import { systemClock } from '../services/system-clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Storage } from './storage.ts';

/** What a node knows of schemas. */
export interface OpenedSchemas {
  /** To be polled. */
  readonly active: ActiveSchemas;
  readonly checks: SchemaChecks;
  readonly registry: SchemaRegistry;
}

export function openSchemas(
  settings: Settings,
  { storage: { schemas }, log }: { readonly storage: Pick<Storage, 'schemas'>; readonly log: Log },
  metrics: Metrics,
  turnBudget: TurnBudget,
): OpenedSchemas {
  const limits = {
    clock: systemClock,
    entriesMax: settings.cacheSchemaMax,
    ttlMs: settings.cacheSchemaTtlSecs * 1_000,
  };
  const active = new ActiveSchemas({ schemas, log, ...limits });
  const compiled = new CompiledSchemas('the first error', limits);
  const thorough = new CompiledSchemas('all errors', limits);
  metrics.caches.add('schemas', () => active.figures);
  metrics.caches.add('compiled_schemas', () => compiled.figures);
  metrics.caches.add('thorough_schemas', () => thorough.figures);
  return {
    active,
    checks: new SchemaChecks({
      mode: settings.schemaValidationMode,
      active,
      compiled,
      schemas,
      clock: systemClock,
      turnBudget,
      log,
      onFaults: (count) => metrics.sequencing.schemaErrors.inc(count),
    }),
    registry: new SchemaRegistry({
      schemas,
      compiled,
      thorough,
      eventTypesMax: settings.schemaEventTypesMax,
      compatibilityEnforced: settings.schemaCompatibilityEnforced,
      onChange: () => active.forget(),
    }),
  };
}
