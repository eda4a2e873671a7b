import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { Sequence, StoreKey } from '../../../domain/types.ts';
import { legacyEventColumns, toLegacyRow } from '../legacy-event-row.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { Query } from '../query.ts';

export const readLegacy: Query<StoreKey & { from: Sequence; to: Sequence }, EventRow<StoredLegacyEvent>> = {
  name: 'read_legacy',
  text: `
    select ${legacyEventColumns}
      from streams s join legacy_events e using (store_number)
     where s.tenant_id = $1 and s.store_id = $2 and e.sequence between $3 and $4
     order by e.sequence`,
  values: ({ tenantId, storeId, from, to }) => [tenantId, storeId, from, to],
  row: toLegacyRow,
};
