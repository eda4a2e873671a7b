import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { EventRow } from '../payloads/payload-vault.ts';

/** The columns of a stored event, for queries in which `s` is its store's row and `e` the event's. */
export const legacyEventColumns = `
  s.tenant_id, s.store_id, e.sequence, e.sequenced_at, e.event_id, e.command_id, e.entity_type, e.entity_id,
  e.event_type, e.source_agent, e.created_at, e.base_version, e.payload, e.encryption_key_number, e.payload_hash, e.leaf_hash, e.signature`;

/** The types are those of the columns in migrations/0001_streams.sql, as row-types.ts reads them. */
export function toLegacyRow(columns: Readonly<Record<string, unknown>>): EventRow<StoredLegacyEvent> {
  const event = {
    tenantId: columns.tenant_id,
    storeId: columns.store_id,
    sequence: columns.sequence,
    sequencedAt: columns.sequenced_at,
    eventId: columns.event_id,
    commandId: columns.command_id,
    entityType: columns.entity_type,
    entityId: columns.entity_id,
    eventType: columns.event_type,
    sourceAgent: columns.source_agent,
    createdAt: columns.created_at,
    baseVersion: columns.base_version,
    payload: columns.payload,
    payloadHash: columns.payload_hash,
    leafHash: columns.leaf_hash,
    signature: columns.signature,
  } as StoredLegacyEvent;
  return { event, payloadKeyNumber: columns.encryption_key_number as number | null };
}
