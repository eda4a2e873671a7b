import type { AppendBatch } from '../event-log.ts';

/**
 * The same batches, the first of each tenant before the second of any, and so on; a tenant's own stay in their order. A
 * tenant with many stores then fills no more of a statement than others leave.
 */
export function inTenantTurns<Entry extends { readonly batch: Pick<AppendBatch, 'claim'> }>(
  entries: readonly Entry[],
): readonly Entry[] {
  const rounds: Entry[][] = [];
  const countByTenant = new Map<string, number>();
  for (const entry of entries) {
    const { tenantId } = entry.batch.claim;
    const round = countByTenant.get(tenantId) ?? 0;
    countByTenant.set(tenantId, round + 1);
    (rounds[round] ??= []).push(entry);
  }
  return countByTenant.size < 2 ? entries : rounds.flat();
}
