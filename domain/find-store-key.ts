import { skimFirstElement, skimMember, skimString, skipSpace } from './json/skim.ts';
import type { StoreKey, Uuid } from './types.ts';
import { canonicalUuidAt, parseUuid } from './uuid.ts';

/**
 * The store that an ingest request of either world is for, taken from its first event; so a gateway knows the owner
 * without reading the body. Nothing else is checked: the owner reads the whole and refuses what is wrong.
 * @returns 'no events' for an empty list, and null when the store can't be found, in which case reading the body tells why
 */
export function findStoreKey(body: Uint8Array): StoreKey | 'no events' | null {
  const eventAt = skimFirstElement(body, skimMember(body, skipSpace(body, 0), 'events'));
  if (eventAt === -2) return 'no events';
  const tenantId = uuidMember(body, eventAt, 'tenant_id');
  const storeId = uuidMember(body, eventAt, 'store_id');
  return tenantId === null || storeId === null ? null : { tenantId, storeId };
}

const quote = 0x22;

function uuidMember(body: Uint8Array, eventAt: number, name: string): Uuid | null {
  const at = skimMember(body, eventAt, name);
  const canonical = body[at] === quote && body[at + 37] === quote ? canonicalUuidAt(body, at + 1) : null;
  if (canonical !== null) return canonical;
  const text = skimString(body, at);
  return text === null ? null : parseUuid(text);
}
