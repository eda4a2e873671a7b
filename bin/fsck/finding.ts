import type { StoreKey, World } from '../../domain/types.ts';

/** Something in the database that is not as it should be. */
export interface Finding extends StoreKey {
  /** Null for what both worlds of a store have in common. */
  readonly world: World | null;
  /** Of the event; of a commitment the first of its range; null for what is of no event. */
  readonly sequence: number | null;
  /** As `table.column`, or a table. */
  readonly column: string;
  readonly expected: string;
  readonly found: string;
  /** What the verdict rests on. */
  readonly detail: string;
  /** The last event of those that it may be, when it can't be said which one it is. */
  readonly until?: number;
}

/** What is wrong in one row. */
export type Fault = Pick<Finding, 'column' | 'expected' | 'found' | 'detail' | 'until'>;

/** By store and world, then from the first sequence on. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.tenantId, b.tenantId) ||
    compareText(a.storeId, b.storeId) ||
    compareText(a.world ?? '', b.world ?? '') ||
    (a.sequence ?? 0) - (b.sequence ?? 0)
  );
}

/** Leaves out what only says that something is wrong in a range where it is told of an event what that is. */
export function withoutEchoes(findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => {
    const { until, sequence } = finding;
    if (until === undefined || sequence === null) return true;
    return !findings.some(
      (other) =>
        other !== finding &&
        other.until === undefined &&
        other.column === finding.column &&
        other.tenantId === finding.tenantId &&
        other.storeId === finding.storeId &&
        other.sequence !== null &&
        other.sequence >= sequence &&
        other.sequence <= until,
    );
  });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
