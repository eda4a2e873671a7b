import { choice, integer, secretValue } from '../definition.ts';
import { readPayloadKey, readPayloadKeys, readPayloadKeysByTenant } from '../payload-keys.ts';

const form = '32 bytes as hex, with or without 0x, or as base64';

/** How payloads lie in the database. */
export const encryptionDefinitions = {
  payloadEncryptionMode: choice({
    env: 'PAYLOAD_ENCRYPTION_MODE',
    default: {
      from: ({ production }) => (production ? ('required' as const) : ('disabled' as const)),
      text: 'disabled; required in production',
    },
    values: ['disabled', 'optional', 'required'],
    spellings: {
      off: 'disabled',
      false: 'disabled',
      0: 'disabled',
      on: 'required',
      true: 'required',
      1: 'required',
    },
    why: 'optional and required encrypt the payloads that are appended; required also refuses to read those that are not encrypted. Keys that are set open what is encrypted in every mode',
  }),
  payloadEncryptionKeys: secretValue({
    env: 'PAYLOAD_ENCRYPTION_KEYS',
    default: null,
    accepts: `a comma list of keys, none twice, each ${form}`,
    read: readPayloadKeys,
    why: "the master keys: the first wraps the tenants' keys, all of them unwrap. To change it, put a new one last on every node, then first, run reencrypt, and only then take the old one away",
  }),
  payloadEncryptionKey: secretValue({
    env: 'PAYLOAD_ENCRYPTION_KEY',
    default: null,
    accepts: form,
    read: readPayloadKey,
    why: 'the same with a single key',
  }),
  payloadEncryptionKeysByTenant: secretValue({
    env: 'PAYLOAD_ENCRYPTION_KEYS_BY_TENANT',
    default: null,
    accepts: `a JSON object from tenant ids to comma lists or arrays of keys, each ${form}`,
    read: readPayloadKeysByTenant,
    why: 'master keys of single tenants: without them not even a backup opens what is theirs',
  }),
  cachePayloadKeyMax: integer({
    env: 'CACHE_PAYLOAD_KEY_MAX',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
    why: "tenants' payload keys kept in memory; a payload of another costs a look-up in Postgres",
  }),
  cachePayloadKeyTtlSecs: integer({
    env: 'CACHE_PAYLOAD_KEY_TTL_SECS',
    default: 3_600,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    why: 'a payload key is looked up again after this long; an erasure acts within a second whatever the value',
  }),
};
