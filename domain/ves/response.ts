import { joinBytes, toHex } from '../bytes.ts';
import type { Sha256 } from '../sha256.ts';
import { erasedPayload } from '../legacy/response.ts';
import { formatTimestamp } from '../time.ts';
import type { Uuid } from '../types.ts';
import type { StoredVesEvent } from './event.ts';
import { receiptOf, type VesReceipt } from './receipt.ts';

/**
 * Signed events as they are given back, as JSON in UTF-8: `{ "event": …, "receipt": … }`.
 *
 * The event has the form in which it came and was signed: names with underscores, hashes and the signature with 0x, the
 * payload's and the creation time's text as received, no member for what is absent. So it verifies as it stands, and sent
 * again it is the same event. The payload of an erased tenant is null, with `payload_erased` beside it. Only `sequence_number` and `sequenced_at` are the sequencer's. The receipt beside it has the
 * form of the answer to the ingest.
 */
export interface VesResponseContext {
  readonly sequencerId: Uuid;
  readonly sha256: Sha256;
}

/** The answer to a read of a range: `{ "events": […], "count": … }`. */
export function writeVesEventList(
  events: readonly StoredVesEvent[],
  context: VesResponseContext,
): Uint8Array {
  const parts: (string | Uint8Array)[] = ['{"events":['];
  events.forEach((event, index) => {
    if (index > 0) parts.push(',');
    parts.push(...eventWithReceipt(event, context));
  });
  parts.push(`],"count":${events.length}}`);
  return joinBytes(parts);
}

/** The answer to a read of one event. */
export function writeVesEvent(event: StoredVesEvent, context: VesResponseContext): Uint8Array {
  return joinBytes(eventWithReceipt(event, context));
}

/** A receipt with the names of ves-format 6. */
export function wireReceipt(receipt: VesReceipt, sequencerId: Uuid): object {
  const { eventId, sequence, sequencedAt, receiptHash, signature } = receipt;
  return {
    sequencerId,
    eventId,
    sequenceNumber: sequence,
    sequencedAt,
    receiptHash: toHex(receiptHash),
    signatureAlg: signature === null ? 'none' : 'ed25519',
    sequencerSignature: signature === null ? '' : toHex(signature.signature),
    // There is no version 0, so it names no key.
    sequencerKeyVersion: signature?.keyVersion ?? 0,
    ...(signature !== null && { receiptSignatureScheme: ed25519Scheme }),
  };
}

const ed25519Scheme = 1;

function eventWithReceipt(
  event: StoredVesEvent,
  { sequencerId, sha256 }: VesResponseContext,
): (string | Uint8Array)[] {
  const receipt = JSON.stringify(wireReceipt(receiptOf(event, sha256), sequencerId));
  return [
    '{"event":',
    beforePayload(event),
    event.payload ?? erasedPayload,
    afterPayload(event),
    `,"receipt":${receipt}}`,
  ];
}

function beforePayload(event: StoredVesEvent): string {
  const payloadName = event.payloadKind === 0 ? 'payload' : 'payload_encrypted';
  return (
    `{"ves_version":${event.vesVersion},"event_id":"${event.eventId}",` +
    `"tenant_id":"${event.tenantId}","store_id":"${event.storeId}",` +
    `"source_agent_id":"${event.sourceAgent}","agent_key_id":${event.agentKeyId},` +
    `"entity_type":${JSON.stringify(event.entityType)},"entity_id":${JSON.stringify(event.entityId)},` +
    `"event_type":${JSON.stringify(event.eventType)},"created_at":${JSON.stringify(event.createdAtText)},` +
    `"payload_kind":${event.payloadKind},"${payloadName}":`
  );
}

function afterPayload(event: StoredVesEvent): string {
  const scheme = event.signatureScheme === null ? '' : `,"agent_signature_scheme":${event.signatureScheme}`;
  const command = event.commandId === null ? '' : `,"command_id":"${event.commandId}"`;
  const baseVersion = event.baseVersion === null ? '' : `,"base_version":${event.baseVersion}`;
  return (
    `,"payload_plain_hash":"0x${toHex(event.payloadPlainHash)}",` +
    `"payload_cipher_hash":"0x${toHex(event.payloadCipherHash)}",` +
    `"agent_signature":"0x${toHex(event.agentSignature)}"${scheme}${command}${baseVersion},` +
    `"sequence_number":${event.sequence},"sequenced_at":"${formatTimestamp(event.sequencedAt, 'Z')}"}`
  );
}
