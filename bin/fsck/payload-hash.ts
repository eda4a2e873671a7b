import { SequencerError } from '../../domain/errors.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import { FieldReader } from '../../domain/json/fields.ts';
import { JsonReader } from '../../domain/json/reader.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import { legacyPayloadHash } from '../../domain/legacy/hashes.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { Hash } from '../../domain/types.ts';
import { decodeEncryptedPayload } from '../../domain/ves/encrypted-payload.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import { payloadCipherHash, payloadPlainHash } from '../../domain/ves/hashes.ts';
import { readEncryptedPayload } from '../../domain/ves/read-encrypted-payload.ts';

/**
 * The hash of a stored payload: what the column payload_hash, payload_plain_hash or payload_cipher_hash of its row should say.
 * @returns a sentence when the payload has none, since it can't be read
 */
export function storedPayloadHash(event: StoredLegacyEvent | StoredVesEvent, sha256: Sha256): Hash | string {
  const { payload } = event;
  if (payload === null) return 'it is not at hand';
  return readable(() => {
    if (!('payloadKind' in event)) return legacyPayloadHash(payload, sha256);
    return event.payloadKind === 0
      ? payloadPlainHash(canonicalText(payload, 'jcs'), null, sha256)
      : cipherHash(event, payload, sha256);
  });
}

/** What the row says that it is. */
export function statedPayloadHash(event: StoredLegacyEvent | StoredVesEvent): Hash {
  if (!('payloadKind' in event)) return event.payloadHash;
  return event.payloadKind === 0 ? event.payloadPlainHash : event.payloadCipherHash;
}

function cipherHash(event: StoredVesEvent, payload: Uint8Array, sha256: Sha256): Hash | string {
  const fields = new FieldReader(new JsonReader('jcs'));
  fields.open(payload);
  const parts = decodeEncryptedPayload(readEncryptedPayload(fields).payload, 'lenient');
  return typeof parts === 'string'
    ? `${parts} is not what the format prescribes`
    : payloadCipherHash(event, parts, sha256);
}

function readable(read: () => Hash | string): Hash | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof SequencerError) return error.message;
    throw error;
  }
}
