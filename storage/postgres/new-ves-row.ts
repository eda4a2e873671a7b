import type { NewVesEvent } from '../event-log.ts';
import { payloadColumn, sharedColumns, writeSharedColumns } from './new-event-row.ts';
import type { ElementType, ParameterArrays } from './parameter-arrays.ts';

/** The columns of a new row of `ves_events` that do not come from its fence row. */
export const vesColumns = {
  ...sharedColumns,
  agent_key_id: 'int64',
  receipt_key_version: 'int64',
  signature_scheme: 'int64',
  ves_version: 'int64',
  payload_kind: 'int64',
  created_at_text: 'text',
  payload_plain_hash: 'bytea',
  payload_cipher_hash: 'bytea',
  signing_hash: 'bytea',
  agent_signature: 'bytea',
  receipt_signature: 'bytea',
  ...payloadColumn,
} as const satisfies Record<string, ElementType>;

export function writeVesEvent(
  to: ParameterArrays<typeof vesColumns>['to'],
  storeNumber: number,
  sequenced: NewVesEvent,
): void {
  writeSharedColumns(to, storeNumber, sequenced);
  const { event, receiptSignature } = sequenced;
  to.agent_key_id.next().int64(event.agentKeyId);
  if (event.signatureScheme === null) to.signature_scheme.nextNull();
  else to.signature_scheme.next().int64(event.signatureScheme);
  to.ves_version.next().int64(event.vesVersion);
  to.payload_kind.next().int64(event.payloadKind);
  to.created_at_text.next().text(event.createdAtText);
  to.payload_plain_hash.next().bytea(event.payloadPlainHash);
  // All zeros for a plain payload, which says nothing that payload_kind does not.
  if (event.payloadKind === 0) to.payload_cipher_hash.nextNull();
  else to.payload_cipher_hash.next().bytea(event.payloadCipherHash);
  to.signing_hash.next().bytea(event.signingHash);
  to.agent_signature.next().bytea(event.agentSignature);
  if (receiptSignature === null) {
    to.receipt_key_version.nextNull();
    to.receipt_signature.nextNull();
  } else {
    to.receipt_key_version.next().int64(receiptSignature.keyVersion);
    to.receipt_signature.next().bytea(receiptSignature.signature);
  }
}
