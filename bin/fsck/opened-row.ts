import type { World } from '../../domain/types.ts';
import type { OpenedPayload } from '../../storage/payloads/payload-vault.ts';
import type { ScannedRow } from '../../storage/postgres/log-scan.ts';
import type { Fault } from './finding.ts';

/** A row whose payload was looked into: `event.payload` is what came out, or null. */
export interface OpenedRow<Event> extends ScannedRow<Event> {
  readonly opened: OpenedPayload;
}

/** Each row with what came of looking into its payload. */
export function toOpenedRows<Event extends { readonly payload: Uint8Array | null }>(
  rows: readonly ScannedRow<Event>[],
  opened: readonly OpenedPayload[],
): OpenedRow<Event>[] {
  return rows.map((row, index) => {
    const result = opened[index]!;
    const payload = result.kind === 'payload' ? result.payload : null;
    return { ...row, event: { ...row.event, payload }, opened: result };
  });
}

/** An encrypted payload that its key does not open. */
export function damagedPayload(world: World, reason: string): Fault {
  return {
    column: `${world}_events.payload`,
    expected: 'what the key that the row names has encrypted',
    found: 'something else',
    detail: reason,
  };
}
