import { sameBytes, toHex, utf8Bytes } from '../../domain/bytes.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { Hash } from '../../domain/types.ts';
import { uuidBytes, uuidFromBytes } from '../../domain/uuid.ts';
import { eventSigningHash, type SignedFields } from '../../domain/ves/hashes.ts';

/** A column of an event that a single flipped bit explains. */
export interface FlippedBit {
  readonly column: string;
  /** What stands there but for the flipped bit. */
  readonly expected: string;
  readonly found: string;
}

/**
 * Tries whether one flipped bit in one signed column explains that the signing hash of an event is not the one that was
 * signed: bit rot is the usual way in which a row goes wrong, and then the column can be named. Some thousand hashes.
 */
export function findFlippedBit(event: SignedFields, signed: Hash, sha256: Sha256): FlippedBit | null {
  const fits = (changed: Partial<SignedFields>): boolean =>
    sameBytes(eventSigningHash({ ...event, ...changed }, sha256), signed);

  for (const [field, column] of Object.entries(uuidColumns) as [UuidField, string][]) {
    for (const bytes of flips(uuidBytes(event[field]))) {
      const value = uuidFromBytes(bytes);
      if (fits({ [field]: value })) return { column, expected: value, found: event[field] };
    }
  }
  for (const [field, column] of Object.entries(textColumns) as [TextField, string][]) {
    for (const bytes of flips(utf8Bytes(event[field]))) {
      const value = utf8.decode(bytes);
      if (fits({ [field]: value })) return { column, expected: value, found: event[field] };
    }
  }
  for (const [field, column] of Object.entries(hashColumns) as [HashField, string][]) {
    for (const bytes of flips(event[field])) {
      const value = bytes as Hash;
      if (fits({ [field]: value })) return { column, expected: toHex(value), found: toHex(event[field]) };
    }
  }
  for (const [field, column] of Object.entries(numberColumns) as [NumberField, string][]) {
    for (let bit = 0; bit < 32; bit++) {
      const value = (event[field] ^ (1 << bit)) >>> 0;
      // The kind has two values, and what is tried here is only hashed.
      if (fits({ [field]: value as 0 | 1 })) {
        return { column, expected: String(value), found: String(event[field]) };
      }
    }
  }
  return null;
}

const uuidColumns = {
  eventId: 'ves_events.event_id',
  sourceAgent: 'ves_events.source_agent',
  tenantId: 'streams.tenant_id',
  storeId: 'streams.store_id',
} as const;
const textColumns = {
  entityType: 'ves_events.entity_type',
  entityId: 'ves_events.entity_id',
  eventType: 'ves_events.event_type',
  createdAtText: 'ves_events.created_at_text',
} as const;
const hashColumns = {
  payloadPlainHash: 'ves_events.payload_plain_hash',
  payloadCipherHash: 'ves_events.payload_cipher_hash',
} as const;
const numberColumns = {
  agentKeyId: 'ves_events.agent_key_id',
  vesVersion: 'ves_events.ves_version',
  payloadKind: 'ves_events.payload_kind',
} as const;
type UuidField = keyof typeof uuidColumns;
type TextField = keyof typeof textColumns;
type HashField = keyof typeof hashColumns;
type NumberField = keyof typeof numberColumns;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes with each of their bits flipped in turn. */
export function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}
