import { Refused } from '../../domain/errors.ts';
import type { StoreKey } from '../../domain/types.ts';

/**
 * The caller's permission was looked up for the store that the call names, and for no other.
 * @throws Refused when one of the events belongs elsewhere
 */
export function checkStore(events: readonly StoreKey[], { tenantId, storeId }: StoreKey): void {
  if (events.some((event) => event.tenantId !== tenantId || event.storeId !== storeId)) {
    throw new Refused('INVALID_FIELD_VALUE', 'the events belong to another store than the call names');
  }
}
