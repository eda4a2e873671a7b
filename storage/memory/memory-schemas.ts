import { randomUUID } from 'node:crypto';
import { LogUnavailable } from '../../domain/errors.ts';
import type { NewSchema, RegisteredSchema, SchemaStatus, SchemaSubject } from '../../domain/schema/schema.ts';
import type { Micros, TenantId, Uuid } from '../../domain/types.ts';
import { type ActiveSchema, schemaListBytesMax, type Schemas } from '../schemas.ts';

/** Schemas that live as long as the process, with a switch that makes them unreachable. */
export class MemorySchemas implements Schemas {
  /** While false, every call fails as if the database were down. */
  reachable = true;
  private readonly schemas = new Map<Uuid, RegisteredSchema>();
  private readonly now: () => Micros;
  private changes = 0;

  constructor(now: () => Micros) {
    this.now = now;
  }

  async find(id: Uuid, tenantId: TenantId | null): Promise<RegisteredSchema | null> {
    await this.reach();
    const schema = this.schemas.get(id);
    return schema === undefined || (tenantId !== null && schema.tenantId !== tenantId) ? null : schema;
  }

  async list(tenantId: TenantId, limit: number): Promise<RegisteredSchema[]> {
    await this.reach();
    return firstOf(this.ofTenant(tenantId), limit);
  }

  async listVersions(subject: SchemaSubject, limit: number): Promise<RegisteredSchema[]> {
    await this.reach();
    return firstOf(this.versions(subject), limit);
  }

  async findVersion(subject: SchemaSubject, version: number): Promise<RegisteredSchema | null> {
    await this.reach();
    return this.versions(subject).find((schema) => schema.version === version) ?? null;
  }

  async findActive(subject: SchemaSubject): Promise<RegisteredSchema | null> {
    await this.reach();
    return this.versions(subject).find(({ status }) => status === 'active') ?? null;
  }

  async listActive(tenantId: TenantId, limit: number): Promise<ActiveSchema[]> {
    await this.reach();
    const newest = new Map<string, ActiveSchema>();
    for (const { eventType, id, version, status } of this.ofTenant(tenantId)) {
      if (status === 'active' && !newest.has(eventType)) newest.set(eventType, { eventType, id, version });
    }
    return [...newest.values()].slice(0, limit);
  }

  async countEventTypes(tenantId: TenantId): Promise<number> {
    await this.reach();
    return new Set(this.ofTenant(tenantId).map(({ eventType }) => eventType)).size;
  }

  async register(schema: NewSchema): Promise<RegisteredSchema | null> {
    await this.reach();
    const highest = this.versions(schema)[0]?.version ?? 0;
    if (schema.version !== highest + 1) return null;
    const now = this.now();
    const id = randomUUID() as string as Uuid;
    return this.change({ ...schema, id, status: 'active', createdAt: now, updatedAt: now });
  }

  async setStatus(
    id: Uuid,
    tenantId: TenantId | null,
    status: SchemaStatus,
  ): Promise<RegisteredSchema | null> {
    const schema = await this.find(id, tenantId);
    return schema && this.change({ ...schema, status, updatedAt: this.now() });
  }

  async remove(id: Uuid, tenantId: TenantId | null): Promise<RegisteredSchema | null> {
    const schema = await this.find(id, tenantId);
    if (schema === null) return null;
    this.schemas.delete(id);
    this.changes += 1;
    return schema;
  }

  async revision(): Promise<number> {
    await this.reach();
    return this.changes;
  }

  private change(schema: RegisteredSchema): RegisteredSchema {
    this.schemas.set(schema.id, schema);
    this.changes += 1;
    return schema;
  }

  private ofTenant(tenantId: TenantId): RegisteredSchema[] {
    return [...this.schemas.values()]
      .filter((schema) => schema.tenantId === tenantId)
      .sort((a, b) => compareBytes(a.eventType, b.eventType) || b.version - a.version);
  }

  private versions({ tenantId, eventType }: SchemaSubject): RegisteredSchema[] {
    return this.ofTenant(tenantId).filter((schema) => schema.eventType === eventType);
  }

  private reach(): Promise<void> {
    if (this.reachable) return Promise.resolve();
    return Promise.reject(new LogUnavailable('the schemas are unreachable'));
  }
}

function firstOf(schemas: readonly RegisteredSchema[], limit: number): RegisteredSchema[] {
  let bytes = 0;
  return schemas.slice(0, limit).filter(({ json }) => {
    const fits = bytes < schemaListBytesMax;
    bytes += Buffer.byteLength(json);
    return fits;
  });
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
