import type { NewSchema, RegisteredSchema, SchemaStatus, SchemaSubject } from '../domain/schema/schema.ts';
import type { TenantId, Uuid } from '../domain/types.ts';

/**
 * The schemas of every tenant, version by version. What a version says never changes, only its status.
 *
 * Every method asks the primary: an answer reflects all changes that were durable when the call began.
 * All of them throw `LogUnavailable` when the database can't be reached or does not answer in time; a change may then
 * have been saved all the same.
 */
export interface Schemas {
  /** Null when there is none, or not of this tenant. A null tenant asks for any. */
  find(id: Uuid, tenantId: TenantId | null): Promise<RegisteredSchema | null>;

  /**
   * All versions of all event types, by event type and then newest first, at most `limit`, and none beyond those that reach
   * `schemaListBytesMax` together.
   */
  list(tenantId: TenantId, limit: number): Promise<RegisteredSchema[]>;

  /** The versions for one event type, whatever their status, newest first, as far as `list` goes. */
  listVersions(subject: SchemaSubject, limit: number): Promise<RegisteredSchema[]>;

  /** Null when there is no such version. */
  findVersion(subject: SchemaSubject, version: number): Promise<RegisteredSchema | null>;

  /** The highest active version; null when none is active. */
  findActive(subject: SchemaSubject): Promise<RegisteredSchema | null>;

  /** Of each event type the highest active version, at most `limit`. */
  listActive(tenantId: TenantId, limit: number): Promise<ActiveSchema[]>;

  /** How many event types of a tenant have a version, whatever its status. */
  countEventTypes(tenantId: TenantId): Promise<number>;

  /**
   * Registers the version that follows the highest one there is, as active.
   * @returns null, and changes nothing, when the given version is not that one: another was registered meanwhile
   */
  register(schema: NewSchema): Promise<RegisteredSchema | null>;

  /** @returns the schema as it is now; null when there is none, or not of this tenant */
  setStatus(id: Uuid, tenantId: TenantId | null, status: SchemaStatus): Promise<RegisteredSchema | null>;

  /** @returns the schema that was removed; null when there is none, or not of this tenant */
  remove(id: Uuid, tenantId: TenantId | null): Promise<RegisteredSchema | null>;

  /** A number that grows with every change of any schema, in the transaction of the change. */
  revision(): Promise<number>;
}

/** A list of the largest schemas must not fill the memory; some hundred of them fit. */
export const schemaListBytesMax = 16_777_216;

/** Which version judges the payloads of an event type. */
export interface ActiveSchema {
  readonly eventType: string;
  readonly id: Uuid;
  readonly version: number;
}
