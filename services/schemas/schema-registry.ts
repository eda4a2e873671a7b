import { LogUnavailable, Refused } from '../../domain/errors.ts';
import { findIncompatibility } from '../../domain/schema/compatibility.ts';
import { readSchema } from '../../domain/schema/read-schema.ts';
import type { NewSchema, RegisteredSchema, SchemaStatus, SchemaSubject } from '../../domain/schema/schema.ts';
import type { TenantId, Uuid } from '../../domain/types.ts';
import type { Schemas } from '../../storage/schemas.ts';
import { compileSchema, type SchemaError, tooMuchWork } from './compile-schema.ts';
import type { CompiledSchemas } from './compiled-schemas.ts';

export interface SchemaRegistryDependencies {
  readonly schemas: Schemas;
  /** Compiled to stop at the first error, as ingest does. */
  readonly compiled: CompiledSchemas;
  /** The same schemas, compiled to find all errors. */
  readonly thorough: CompiledSchemas;
  readonly eventTypesMax: number;
  /** Whether a version must keep the compatibility that it declares. */
  readonly compatibilityEnforced: boolean;
  /** Told after each change, so that it acts on this node at once. */
  readonly onChange: () => void;
}

/** What a payload was found to be. */
export interface Judgement {
  /** Null when there is no schema to judge by. */
  readonly schema: RegisteredSchema | null;
  readonly errors: readonly SchemaError[];
}

const attemptsMax = 5;

/** Registers schemas, and judges payloads by them as ingest would. */
export class SchemaRegistry {
  private readonly deps: SchemaRegistryDependencies;

  constructor(deps: SchemaRegistryDependencies) {
    this.deps = deps;
  }

  /**
   * Registers the next version for an event type.
   * @throws Refused for a schema that can't be accepted
   * @throws LogUnavailable when others keep registering versions at the same time
   */
  async register(schema: Omit<NewSchema, 'version'>): Promise<RegisteredSchema> {
    const { schemas, eventTypesMax, onChange } = this.deps;
    compileSchema(JSON.parse(schema.json));
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const [newest] = await schemas.listVersions(schema, 1);
      if (newest === undefined && (await schemas.countEventTypes(schema.tenantId)) >= eventTypesMax) {
        throw new Refused(
          'CONFLICT',
          `the tenant has schemas for ${eventTypesMax} event types, which is the limit; delete those of another first`,
        );
      }
      if (this.deps.compatibilityEnforced) await this.checkCompatibility(schema);
      const registered = await schemas.register({ ...schema, version: (newest?.version ?? 0) + 1 });
      if (registered === null) continue;
      onChange();
      return registered;
    }
    throw new LogUnavailable('other versions of this schema are being registered', { attemptsMax });
  }

  /** The version must get on with the one that it takes over from: the active one. */
  private async checkCompatibility(schema: Omit<NewSchema, 'version'>): Promise<void> {
    const { compatibility } = schema;
    const active = compatibility === 'none' ? null : await this.deps.schemas.findActive(schema);
    if (active === null) return;
    const ours = { name: 'the new schema', json: schema.json };
    const theirs = { name: `the active version ${active.version}`, json: active.json };
    const promise = `the schema does not keep the compatibility "${compatibility}"`;
    if (compatibility !== 'forward') checkReading(theirs, ours, promise);
    if (compatibility !== 'backward') checkReading(ours, theirs, promise);
  }

  /** @returns the schema as it is now; null when there is none, or not of this tenant */
  async setStatus(
    id: Uuid,
    tenantId: TenantId | null,
    status: SchemaStatus,
  ): Promise<RegisteredSchema | null> {
    const changed = await this.deps.schemas.setStatus(id, tenantId, status);
    this.deps.onChange();
    return changed;
  }

  /** @returns the schema that was removed; null when there is none, or not of this tenant */
  async remove(id: Uuid, tenantId: TenantId | null): Promise<RegisteredSchema | null> {
    const removed = await this.deps.schemas.remove(id, tenantId);
    this.deps.onChange();
    return removed;
  }

  /**
   * Judges a payload by a version, or by the active one.
   * @param payload JSON text
   * @throws Refused when there is no such version
   */
  async judge(subject: SchemaSubject, version: number | null, payload: Uint8Array): Promise<Judgement> {
    const { schemas, compiled, thorough } = this.deps;
    const schema = await (version === null
      ? schemas.findActive(subject)
      : schemas.findVersion(subject, version));
    if (schema === null) {
      if (version === null) return { schema, errors: [] };
      throw new Refused('NOT_FOUND', `event type ${subject.eventType} has no schema version ${version}`);
    }
    const value: unknown = JSON.parse(utf8.decode(payload));
    const errors = compiled.compile(schema).errorsOf(value, payload.byteLength);
    if (errors.length === 0) return { schema, errors };
    // To find them all takes more work, which may be too much; then the first one has to do.
    const all = thorough.compile(schema).errorsOf(value, payload.byteLength);
    return { schema, errors: all[0] === tooMuchWork ? errors : all };
  }
}

/** @throws Refused when what is valid by the writer's schema may be refused by the reader's */
function checkReading(
  writer: { readonly name: string; readonly json: string },
  reader: { readonly name: string; readonly json: string },
  promise: string,
): void {
  const found = findIncompatibility(readSchema(JSON.parse(writer.json)), readSchema(JSON.parse(reader.json)));
  if (found === null) return;
  throw new Refused(
    'CONFLICT',
    `${promise}: what is valid by ${writer.name} (at "${found.writerPointer}") ${found.fault} by ${reader.name} ` +
      `(at "${found.readerPointer}"); change the schema, or declare another compatibility`,
    { ...found },
  );
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
