import type { Clock } from '../../domain/clock.ts';
import { DeadlineExceeded } from '../../domain/errors.ts';
import type { Fault } from '../../domain/sequencing/rejection.ts';
import type { TenantId } from '../../domain/types.ts';
import type { Schemas } from '../../storage/schemas.ts';
import type { Log } from '../../telemetry/log.ts';
import type { TurnBudget } from '../sequencer/turn-budget.ts';
import type { ActiveSchemas, ActiveVersion, ActiveVersions } from './active-schemas.ts';
import type { CompiledSchema } from './compile-schema.ts';
import type { CompiledSchemas } from './compiled-schemas.ts';

export type SchemaValidationMode = 'disabled' | 'warn' | 'enforce' | 'required';

export interface SchemaChecksDependencies {
  readonly mode: SchemaValidationMode;
  readonly active: Pick<ActiveSchemas, 'find'>;
  readonly compiled: CompiledSchemas;
  readonly schemas: Pick<Schemas, 'find' | 'findActive'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly turnBudget: TurnBudget;
  readonly log: Log;
  /** Told how many events of a request have a fault, whether they are rejected or let through. */
  readonly onFaults: (count: number) => void;
}

/** What is looked at in an event of either world. */
export interface EventToJudge {
  readonly eventType: string;
  /** JSON text; not looked into unless there is a schema. */
  readonly payload: Uint8Array;
  /** Only of signed events: 1 when the payload is encrypted. */
  readonly payloadKind?: 0 | 1;
}

/** A step takes about as long as reading two bytes does. */
const bytesPerStep = 2;
/** Compiling takes much longer than reading. */
const bytesPerSchemaByte = 100;

/**
 * Holds payloads against the schemas of their event types. A tenant without schemas pays for one look into a map; a payload is
 * parsed only when there is a schema for it. The work of a request is spread over turns of the event loop.
 */
export class SchemaChecks {
  private readonly deps: SchemaChecksDependencies;

  constructor(deps: SchemaChecksDependencies) {
    this.deps = deps;
  }

  /**
   * @param deadlineMs on the clock's monotonic scale
   * @returns the events in input order, those that are to be rejected with their `schemaFault`
   * @throws DeadlineExceeded, LogUnavailable: nothing is known of the events then
   */
  async check<Event extends EventToJudge>(
    tenantId: TenantId,
    events: readonly Event[],
    deadlineMs: number,
  ): Promise<readonly (Event & { readonly schemaFault?: Fault })[]> {
    const { mode, active, log, onFaults } = this.deps;
    if (mode === 'disabled') return events;
    const versions = await active.find(tenantId);
    if (versions === null || (versions.size === 0 && mode === 'enforce')) return events;
    const faults = await this.faultsOf(tenantId, events, versions, deadlineMs);
    if (faults.size === 0) return events;
    onFaults(faults.size);
    if (mode === 'warn') {
      const [first] = faults.values();
      log.warn(
        { tenantId, events: faults.size, first: first?.message },
        'let events through that break their schema or have none',
      );
      return events;
    }
    return events.map((event, index) => {
      const schemaFault = faults.get(index);
      return schemaFault === undefined ? event : { ...event, schemaFault };
    });
  }

  private async faultsOf(
    tenantId: TenantId,
    events: readonly EventToJudge[],
    versions: ActiveVersions,
    deadlineMs: number,
  ): Promise<Map<number, Fault>> {
    const { mode, clock, turnBudget } = this.deps;
    const faults = new Map<number, Fault>();
    let lastSteps = 0;
    for (const [index, { eventType, payload, payloadKind }] of events.entries()) {
      const version = versions.get(eventType);
      if (version === undefined) {
        if (mode !== 'enforce') faults.set(index, noSchema(eventType));
        continue;
      }
      // Whether an encrypted payload is what it should be only its recipients can tell.
      if (payloadKind === 1) continue;
      await turnBudget.take(tenantId, payload.byteLength + lastSteps * bytesPerStep);
      const schema = await this.compiledSchema(tenantId, eventType, version);
      if (clock.monotonicMs() > deadlineMs) {
        throw new DeadlineExceeded('the time ran out while payloads were held against their schemas');
      }
      if (schema === null) continue;
      const [error] = schema.errorsOf(JSON.parse(utf8.decode(payload)), payload.byteLength);
      lastSteps = schema.steps;
      if (error !== undefined) faults.set(index, broken(eventType, version, error));
    }
    return faults;
  }

  /** Null when the schema is gone, and no other is active in its place. */
  private async compiledSchema(
    tenantId: TenantId,
    eventType: string,
    { id }: ActiveVersion,
  ): Promise<CompiledSchema | null> {
    const { compiled, schemas, turnBudget } = this.deps;
    const known = compiled.find(id);
    if (known !== undefined) return known;
    const schema = (await schemas.find(id, tenantId)) ?? (await schemas.findActive({ tenantId, eventType }));
    if (schema === null) return null;
    await turnBudget.take(tenantId, schema.json.length * bytesPerSchemaByte);
    return compiled.compile(schema);
  }
}

function broken(
  eventType: string,
  { version }: ActiveVersion,
  { path, message }: { readonly path: string; readonly message: string },
): Fault {
  const place = path === '' ? 'payload' : `payload at ${path}`;
  return {
    reason: 'schema-validation',
    message: `${place} ${message} (schema version ${version} of ${eventType})`,
  };
}

function noSchema(eventType: string): Fault {
  return {
    reason: 'schema-validation',
    message: `event_type ${eventType} has no active schema, and this sequencer requires one`,
  };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
