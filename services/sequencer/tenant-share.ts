import type { Clock } from '../../domain/clock.ts';

export interface TenantShareOptions {
  /** Of one tenant's requests at work at once, while others append too; a single larger one goes alone. */
  readonly bytesMax: number;
  /** How long a tenant counts as appending after a request. */
  readonly activeForMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface Tenant {
  bytesAtWork: number;
  readonly waiting: { readonly bytes: number; readonly begin: () => void }[];
}

/**
 * Bounds how much of one tenant's requests a node works on at once while others append as well. What is at work can't be
 * overtaken any more: it is on the event loop, in a statement, on the cores that Postgres shares with the node. So
 * whoever posts at full speed waits here, in a queue of their own, and others find short ones everywhere.
 */
export class TenantShare {
  private readonly options: TenantShareOptions;
  /** Those with anything at work. */
  private readonly tenants = new Map<string, Tenant>();
  private lastTenantId: string | null = null;
  private sharedUntilMs = -Infinity;

  constructor(options: TenantShareOptions) {
    this.options = options;
  }

  /** Does the work of a request of so many bytes when its tenant's share allows; a tenant's requests begin in their order. */
  async run<Result>(tenantId: string, bytes: number, work: () => Promise<Result>): Promise<Result> {
    this.note(tenantId);
    const tenant = this.tenantOf(tenantId);
    if (tenant.waiting.length > 0 || !this.mayBegin(tenant, bytes)) {
      await new Promise<void>((begin) => tenant.waiting.push({ bytes, begin }));
    } else {
      tenant.bytesAtWork += bytes;
    }
    try {
      return await work();
    } finally {
      tenant.bytesAtWork -= bytes;
      this.beginNext(tenant);
      if (tenant.bytesAtWork === 0) this.tenants.delete(tenantId);
    }
  }

  private note(tenantId: string): void {
    if (this.lastTenantId !== null && this.lastTenantId !== tenantId) {
      this.sharedUntilMs = this.options.clock.monotonicMs() + this.options.activeForMs;
    }
    this.lastTenantId = tenantId;
  }

  private tenantOf(tenantId: string): Tenant {
    const known = this.tenants.get(tenantId);
    if (known !== undefined) return known;
    const tenant: Tenant = { bytesAtWork: 0, waiting: [] };
    this.tenants.set(tenantId, tenant);
    return tenant;
  }

  private mayBegin(tenant: Tenant, bytes: number): boolean {
    if (tenant.bytesAtWork === 0) return true;
    const { bytesMax, clock } = this.options;
    return tenant.bytesAtWork + bytes <= bytesMax || clock.monotonicMs() >= this.sharedUntilMs;
  }

  private beginNext(tenant: Tenant): void {
    for (let next = tenant.waiting[0]; next !== undefined; next = tenant.waiting[0]) {
      if (!this.mayBegin(tenant, next.bytes)) return;
      tenant.waiting.shift();
      tenant.bytesAtWork += next.bytes;
      next.begin();
    }
  }
}
