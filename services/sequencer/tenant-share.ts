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
  /** Bytes of its requests that have begun, counted from what the least served had when it came. */
  served: number;
  readonly waiting: { readonly bytes: number; readonly begin: () => void }[];
}

/**
 * Bounds how much of one tenant's requests a node works on at once while others append as well. What is at work can't be
 * overtaken any more: it is on the event loop, in a statement, on the cores that Postgres shares with the node. So
 * whoever posts at full speed waits here, in a queue of their own, and others find short ones everywhere. And as long as
 * another has something at work, nobody gets further ahead of the least served than by a share: so a tenant with less
 * to do is hardly slowed down, and two at full speed get the same.
 */
export class TenantShare {
  private readonly options: TenantShareOptions;
  /** Those with anything at work or waiting. */
  private readonly tenants = new Map<string, Tenant>();
  private waitingCount = 0;
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
      this.waitingCount += 1;
      await new Promise<void>((begin) => tenant.waiting.push({ bytes, begin }));
    } else {
      this.begin(tenant, bytes);
    }
    try {
      return await work();
    } finally {
      tenant.bytesAtWork -= bytes;
      if (tenant.bytesAtWork === 0 && tenant.waiting.length === 0) this.tenants.delete(tenantId);
      this.beginWaiting();
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
    const tenant: Tenant = { bytesAtWork: 0, served: this.leastServed(null) ?? 0, waiting: [] };
    this.tenants.set(tenantId, tenant);
    return tenant;
  }

  private mayBegin(tenant: Tenant, bytes: number): boolean {
    const { bytesMax, clock } = this.options;
    if (clock.monotonicMs() >= this.sharedUntilMs) return true;
    if (tenant.bytesAtWork > 0 && tenant.bytesAtWork + bytes > bytesMax) return false;
    const least = this.leastServed(tenant);
    return least === null || tenant.served - least <= bytesMax;
  }

  /** Null when there is no other tenant. */
  private leastServed(except: Tenant | null): number | null {
    let least: number | null = null;
    for (const tenant of this.tenants.values()) {
      if (tenant !== except && (least === null || tenant.served < least)) least = tenant.served;
    }
    return least;
  }

  private begin(tenant: Tenant, bytes: number): void {
    tenant.bytesAtWork += bytes;
    tenant.served += bytes;
  }

  /** What one has finished or begun may be what another waited for. */
  private beginWaiting(): void {
    for (let begun = true; begun && this.waitingCount > 0;) {
      begun = false;
      for (const tenant of this.tenants.values()) {
        const next = tenant.waiting[0];
        if (next === undefined || !this.mayBegin(tenant, next.bytes)) continue;
        tenant.waiting.shift();
        this.waitingCount -= 1;
        this.begin(tenant, next.bytes);
        next.begin();
        begun = true;
      }
    }
  }
}
