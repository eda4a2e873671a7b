import { FieldNames } from '../json/field-names.ts';
import type { FieldReader } from '../json/fields.ts';
import type { EncryptedPayload } from './encrypted-payload.ts';

/**
 * Reads a `payload_encrypted`: that everything is there and of the right type, and nothing else.
 * @returns it, and where it begins
 * @throws Refused with `UNREADABLE_JSON` or `WRONG_SHAPE`
 */
export function readEncryptedPayload(fields: FieldReader): { start: number; payload: EncryptedPayload } {
  const text = (): string => fields.text();
  const u32 = (): number => Number(fields.integer(0xffff_ffffn));
  const { start, values } = readRecord(fields, encryptedPayloadNames, {
    enc_version: u32,
    aead: text,
    nonce_b64u: text,
    ciphertext_b64u: text,
    tag_b64u: text,
    hpke: () => readRecord(fields, hpkeNames, { mode: text, kem: text, kdf: text, aead: text }).values,
    recipients: () => {
      const recipients: EncryptedPayload['recipients'][number][] = [];
      fields.array(() => {
        const { values: recipient } = readRecord(fields, recipientNames, {
          recipient_kid: u32,
          enc_b64u: text,
          ct_b64u: text,
        });
        recipients.push({ kid: recipient.recipient_kid, enc: recipient.enc_b64u, ct: recipient.ct_b64u });
      });
      return recipients;
    },
  });
  const payload = {
    encVersion: values.enc_version,
    aead: values.aead,
    nonce: values.nonce_b64u,
    ciphertext: values.ciphertext_b64u,
    tag: values.tag_b64u,
    hpke: values.hpke,
    recipients: values.recipients,
  };
  return { start, payload };
}

export const encryptedPayloadNames = new FieldNames([
  'enc_version',
  'aead',
  'nonce_b64u',
  'ciphertext_b64u',
  'tag_b64u',
  'hpke',
  'recipients',
]);
export const hpkeNames = new FieldNames(['mode', 'kem', 'kdf', 'aead']);
export const recipientNames = new FieldNames(['recipient_kid', 'enc_b64u', 'ct_b64u']);

/** Reads an object in which every one of the names must be, each by its own function. */
function readRecord<Name extends string, Readers extends Record<Name, () => unknown>>(
  fields: FieldReader,
  names: FieldNames<Name>,
  readers: Readers,
): { start: number; values: { readonly [Field in Name]: ReturnType<Readers[Field]> } } {
  const values: Partial<Record<Name, unknown>> = {};
  const start = fields.object(names, (name) => {
    values[name] = readers[name]();
  });
  for (const name of names.names) if (!(name in values)) throw fields.missing(start, name);
  // Every name is there, with what its reader gave.
  return { start, values: values as { [Field in Name]: ReturnType<Readers[Field]> } };
}
