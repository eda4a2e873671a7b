import { LogUnavailable } from '../../domain/errors.ts';
import type { Micros } from '../../domain/types.ts';
import type { AuditEntries, AuditEntry, AuditFilter, AuditPage, NewAuditEntry } from '../audit-log.ts';

/** An audit log that lives as long as the process, with a switch that makes it unreachable. */
export class MemoryAuditEntries implements AuditEntries {
  /** While false, every call fails as if the database were down. */
  reachable = true;
  private readonly entries: AuditEntry[] = [];
  private readonly now: () => Micros;

  constructor(now: () => Micros) {
    this.now = now;
  }

  async append(entry: NewAuditEntry): Promise<void> {
    await this.reach();
    // What is kept is what JSON says: as in the database, the caller's object may change afterwards.
    const details = JSON.parse(JSON.stringify(entry.details)) as AuditEntry['details'];
    this.entries.push({ ...entry, details, id: this.entries.length + 1, timestamp: this.now() });
  }

  async latest(
    about: Pick<NewAuditEntry, 'action' | 'resourceType' | 'resourceId'>,
  ): Promise<AuditEntry | null> {
    await this.reach();
    const { action, resourceType, resourceId } = about;
    return (
      this.entries.findLast(
        (entry) =>
          entry.action === action && entry.resourceType === resourceType && entry.resourceId === resourceId,
      ) ?? null
    );
  }

  async list(filter: AuditFilter, { after, limit }: AuditPage): Promise<AuditEntry[]> {
    await this.reach();
    return this.entries
      .filter(
        (entry) =>
          (filter.tenantId === null || entry.tenantId === filter.tenantId) &&
          (filter.action === null || entry.action === filter.action) &&
          (filter.from === null || entry.timestamp >= filter.from) &&
          (filter.to === null || entry.timestamp < filter.to),
      )
      .sort(newestFirst)
      .filter((entry) => after === null || newestFirst(after, entry) < 0)
      .slice(0, limit);
  }

  private reach(): Promise<void> {
    if (this.reachable) return Promise.resolve();
    return Promise.reject(new LogUnavailable('the audit log is unreachable'));
  }
}

type Place = Pick<AuditEntry, 'id' | 'timestamp'>;

function newestFirst(a: Place, b: Place): number {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? -1 : 1;
  return b.id - a.id;
}
