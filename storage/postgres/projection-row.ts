import type { ProjectedStream } from '../projections.ts';

/** The columns of a stream, for queries in which `s` is its store's row and `c` its checkpoint. */
export const projectedStreamColumns = `
  s.store_number, s.tenant_id, s.store_id, s.legacy_head as head, c.last_sequence, c.revision`;

export function toProjectedStream(columns: Readonly<Record<string, unknown>>): ProjectedStream {
  return {
    storeNumber: columns.store_number,
    tenantId: columns.tenant_id,
    storeId: columns.store_id,
    lastSequence: columns.last_sequence,
    revision: columns.revision,
    head: columns.head,
  } as ProjectedStream;
}
