import type { StoredVesEvent } from '../../domain/ves/event.ts';
import type { EventRow } from '../payloads/payload-vault.ts';

/** The columns of a stored signed event, for queries in which `s` is its store's row and `e` the event's. */
export const vesEventColumns = `
  s.tenant_id, s.store_id, e.sequence, e.sequenced_at, e.request_id, e.ves_version, e.event_id, e.command_id,
  e.source_agent, e.agent_key_id, e.entity_type, e.entity_id, e.event_type, e.created_at, e.created_at_text,
  e.base_version, e.payload_kind, e.payload, e.encryption_key_number, e.payload_plain_hash, e.payload_cipher_hash, e.agent_signature,
  e.signature_scheme, e.signing_hash, e.leaf_hash, e.receipt_signature, e.receipt_key_version`;

const noCipher = new Uint8Array(32);

/** The types are those of the columns in migrations/0003_ves_events.sql, as row-types.ts reads them. */
export function toVesRow(columns: Readonly<Record<string, unknown>>): EventRow<StoredVesEvent> {
  const event = {
    tenantId: columns.tenant_id,
    storeId: columns.store_id,
    sequence: columns.sequence,
    sequencedAt: columns.sequenced_at,
    requestId: columns.request_id,
    vesVersion: columns.ves_version,
    eventId: columns.event_id,
    commandId: columns.command_id,
    sourceAgent: columns.source_agent,
    agentKeyId: columns.agent_key_id,
    entityType: columns.entity_type,
    entityId: columns.entity_id,
    eventType: columns.event_type,
    createdAt: columns.created_at,
    createdAtText: columns.created_at_text,
    baseVersion: columns.base_version === null ? null : BigInt(columns.base_version as number),
    payloadKind: columns.payload_kind,
    payload: columns.payload,
    payloadPlainHash: columns.payload_plain_hash,
    payloadCipherHash: columns.payload_cipher_hash ?? noCipher,
    agentSignature: columns.agent_signature,
    signatureScheme: columns.signature_scheme,
    signingHash: columns.signing_hash,
    leafHash: columns.leaf_hash,
    receiptSignature:
      columns.receipt_signature === null
        ? null
        : { signature: columns.receipt_signature, keyVersion: columns.receipt_key_version },
  } as StoredVesEvent;
  return { event, payloadKeyNumber: columns.encryption_key_number as number | null };
}
