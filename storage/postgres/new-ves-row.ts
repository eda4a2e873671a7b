import type { NewVesEvent } from '../event-log.ts';
import { entityHash } from './entity-hash.ts';
import type { ElementType, ParameterArrays } from './parameter-arrays.ts';

/** The columns of a new row of `ves_events` that do not come from its fence row. */
export const vesColumns = {
  store_number: 'int64',
  sequence: 'int64',
  created_at: 'timestamp',
  entity_hash: 'int64',
  base_version: 'int64',
  event_id: 'uuid',
  command_id: 'uuid',
  source_agent: 'uuid',
  request_id: 'uuid',
  agent_key_id: 'int64',
  receipt_key_version: 'int64',
  signature_scheme: 'int64',
  ves_version: 'int64',
  payload_kind: 'int64',
  entity_type: 'text',
  entity_id: 'text',
  event_type: 'text',
  created_at_text: 'text',
  payload_plain_hash: 'bytea',
  payload_cipher_hash: 'bytea',
  signing_hash: 'bytea',
  leaf_hash: 'bytea',
  agent_signature: 'bytea',
  receipt_signature: 'bytea',
  payload: 'bytea',
} as const satisfies Record<string, ElementType>;

export function writeVesEvent(
  to: ParameterArrays<typeof vesColumns>['to'],
  storeNumber: number,
  { event, sequence, requestId, leafHash, receiptSignature }: NewVesEvent,
): void {
  to.store_number.next().int64(storeNumber);
  to.sequence.next().int64(sequence);
  to.created_at.next().timestamp(event.createdAt);
  to.entity_hash.next().bigInt64(entityHash(event));
  if (event.baseVersion === null) to.base_version.nextNull();
  else to.base_version.next().bigInt64(event.baseVersion);
  to.event_id.next().uuid(event.eventId);
  if (event.commandId === null) to.command_id.nextNull();
  else to.command_id.next().uuid(event.commandId);
  to.source_agent.next().uuid(event.sourceAgent);
  to.request_id.next().uuid(requestId);
  to.agent_key_id.next().int64(event.agentKeyId);
  if (receiptSignature === null) to.receipt_key_version.nextNull();
  else to.receipt_key_version.next().int64(receiptSignature.keyVersion);
  if (event.signatureScheme === null) to.signature_scheme.nextNull();
  else to.signature_scheme.next().int64(event.signatureScheme);
  to.ves_version.next().int64(event.vesVersion);
  to.payload_kind.next().int64(event.payloadKind);
  to.entity_type.next().text(event.entityType);
  to.entity_id.next().text(event.entityId);
  to.event_type.next().text(event.eventType);
  to.created_at_text.next().text(event.createdAtText);
  to.payload_plain_hash.next().bytea(event.payloadPlainHash);
  // All zeros for a plain payload, which says nothing that payload_kind does not.
  if (event.payloadKind === 0) to.payload_cipher_hash.nextNull();
  else to.payload_cipher_hash.next().bytea(event.payloadCipherHash);
  to.signing_hash.next().bytea(event.signingHash);
  to.leaf_hash.next().bytea(leafHash);
  to.agent_signature.next().bytea(event.agentSignature);
  if (receiptSignature === null) to.receipt_signature.nextNull();
  else to.receipt_signature.next().bytea(receiptSignature.signature);
  to.payload.next().bytea(event.payload);
}
