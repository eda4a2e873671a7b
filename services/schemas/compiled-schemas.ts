import type { Clock } from '../../domain/clock.ts';
import { Refused } from '../../domain/errors.ts';
import type { RegisteredSchema } from '../../domain/schema/schema.ts';
import type { Uuid } from '../../domain/types.ts';
import { CountedCache } from '../../telemetry/counted-cache.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';
import { type CompiledSchema, compileSchema, type ErrorsWanted } from './compile-schema.ts';

export interface CompiledSchemasLimits {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly entriesMax: number;
  readonly ttlMs: number;
}

/** Compiled, a schema takes some ten times the memory of its text. */
const textBytesMax = 8_388_608;

/** Compiled schemas by their ids. What a schema says never changes, so they are never out of date. */
export class CompiledSchemas {
  private readonly wanted: ErrorsWanted;
  private readonly compiled: CountedCache<Uuid, CompiledSchema>;

  constructor(wanted: ErrorsWanted, { clock, entriesMax: max, ttlMs: ttl }: CompiledSchemasLimits) {
    this.wanted = wanted;
    const perf = { now: () => clock.monotonicMs() };
    this.compiled = new CountedCache({ max, ttl, ttlResolution: 0, perf, maxSize: textBytesMax });
  }

  get figures(): CacheFigures {
    return this.compiled.figures;
  }

  /** Undefined when it has to be compiled. */
  find(id: Uuid): CompiledSchema | undefined {
    return this.compiled.get(id);
  }

  compile({ id, version, json }: Pick<RegisteredSchema, 'id' | 'version' | 'json'>): CompiledSchema {
    const known = this.compiled.get(id);
    if (known !== undefined) return known;
    const compiled = compileStored(json, version, this.wanted);
    this.compiled.set(id, compiled, { size: json.length });
    return compiled;
  }
}

/** A schema that was registered when more was accepted judges nothing valid, and says why. */
function compileStored(json: string, version: number, wanted: ErrorsWanted): CompiledSchema {
  try {
    return compileSchema(JSON.parse(json), wanted);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const message = `can't be checked, since version ${version} of the schema is not accepted any more: ${error.message}`;
    return { errorsOf: () => [{ path: '', message }], steps: 0 };
  }
}
