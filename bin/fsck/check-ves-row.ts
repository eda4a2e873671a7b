import { sameBytes, toHex } from '../../domain/bytes.ts';
import { formatTimestamp, parseTimestamp } from '../../domain/time.ts';
import type { Hash } from '../../domain/types.ts';
import type { Cryptography } from '../../domain/verify/verify.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import { eventSigningHash, receiptHash, vesLeafHash } from '../../domain/ves/hashes.ts';
import { entityHash } from '../../storage/postgres/entity-hash.ts';
import type { Fault } from './finding.ts';
import { findFlippedBit } from './flipped-bit.ts';
import { damagedPayload, type OpenedRow } from './opened-row.ts';
import { statedPayloadHash, storedPayloadHash } from './payload-hash.ts';

/** The keys that a row names; null for those that nobody registered. */
export interface RowKeys {
  readonly agentKey: Uint8Array | null;
  readonly receiptKey: Uint8Array | null;
}

/**
 * Checks a signed event as it is stored. Its columns vouch for each other: the payload hash for the payload, the signing hash
 * for all that is signed, the agent's signature for the signing hash, the leaf for that signature; so when two do not fit,
 * those that fit a third are taken to be right, and the other one is named.
 */
export function checkVesRow(
  { event, entityHash: storedEntityHash, opened }: OpenedRow<StoredVesEvent>,
  keys: RowKeys,
  cryptography: Cryptography,
): Fault[] {
  const { sha256 } = cryptography;
  const computed = eventSigningHash(event, sha256);
  const signing = judgeSigning(event, computed, keys.agentKey, cryptography);
  const faults = [...signing.faults];
  const blamed = (...columns: string[]): boolean =>
    faults.some(({ column }) => columns.includes(column.replace('ves_events.', '')));

  if (opened.kind === 'payload' && !blamed('payload_plain_hash', 'payload_cipher_hash')) {
    faults.push(...payloadFaults(event, signing.faults.length > 0, cryptography));
  }
  // What an encrypted payload is bound to is told already.
  if (opened.kind === 'damaged' && !blamed('event_id', 'streams.tenant_id', 'streams.store_id')) {
    faults.push(damagedPayload('ves', opened.reason));
  }
  const leaf = vesLeafHash(event, event.sequence, signing.signed, sha256);
  if (!sameBytes(leaf, event.leafHash) && !blamed('agent_signature')) {
    faults.push(
      differing('leaf_hash', leaf, event.leafHash, 'from sequence, signing_hash and agent_signature'),
    );
  }
  faults.push(...receiptFaults(event, signing.signed, keys.receiptKey, blamed('event_id'), cryptography));
  const createdAt = parseTimestamp(event.createdAtText);
  if (createdAt !== event.createdAt && !blamed('created_at_text')) {
    faults.push({
      column: 'ves_events.created_at',
      expected: createdAt === null ? 'an instant' : formatTimestamp(createdAt, 'Z'),
      found: formatTimestamp(event.createdAt, 'Z'),
      detail: 'created_at_text, which is signed, says another instant',
    });
  }
  const expectedEntityHash = entityHash(event).toString();
  if (expectedEntityHash !== storedEntityHash && !blamed('entity_type', 'entity_id')) {
    faults.push({
      column: 'ves_events.entity_hash',
      expected: expectedEntityHash,
      found: storedEntityHash,
      detail: 'from entity_type and entity_id',
    });
  }
  return faults;
}

interface Signing {
  /** What the agent signed, as far as that can be known. */
  readonly signed: Hash;
  readonly faults: readonly Fault[];
}

function judgeSigning(
  event: StoredVesEvent,
  computed: Hash,
  agentKey: Uint8Array | null,
  { sha256, verifyEd25519 }: Cryptography,
): Signing {
  const stored = event.signingHash;
  const holdsOver = (hash: Hash): boolean =>
    agentKey !== null && verifyEd25519(event.agentSignature, hash, agentKey);
  const isSame = sameBytes(computed, stored);
  if (holdsOver(computed)) {
    const detail = 'the agent signed what follows from the columns';
    return { signed: computed, faults: isSame ? [] : [differing('signing_hash', computed, stored, detail)] };
  }
  if (!isSame) {
    const plainHash = event.payloadKind === 0 ? storedPayloadHash(event, sha256) : '';
    if (typeof plainHash !== 'string') {
      const repaired = eventSigningHash({ ...event, payloadPlainHash: plainHash }, sha256);
      if (sameBytes(repaired, stored)) {
        const detail = 'with the hash of the payload in its place the signing_hash is right';
        const fault = differing('payload_plain_hash', plainHash, event.payloadPlainHash, detail);
        return { signed: stored, faults: [fault] };
      }
    }
    const flipped = findFlippedBit(event, stored, sha256);
    if (flipped !== null) {
      return {
        signed: stored,
        faults: [{ ...flipped, detail: 'one flipped bit explains the signing_hash' }],
      };
    }
    if (holdsOver(stored)) {
      const columns = 'the columns that are signed';
      const detail = `${columns} give another hash than the agent signed`;
      return { signed: stored, faults: [differing('signing_hash', computed, stored, detail)] };
    }
  }
  return { signed: stored, faults: [signatureFault(event, agentKey, sha256)] };
}

/** Why a signature does not hold over a signing hash that may well be right. */
function signatureFault(
  event: StoredVesEvent,
  agentKey: Uint8Array | null,
  sha256: Cryptography['sha256'],
): Fault {
  const { sourceAgent, agentKeyId, agentSignature } = event;
  const keyName = `key ${agentKeyId} of the agent ${sourceAgent}`;
  if (agentKey === null) {
    return {
      column: 'agent_keys',
      expected: keyName,
      found: 'no such key',
      detail: 'keys are never removed, so that signatures can be checked',
    };
  }
  const leaf = vesLeafHash(event, event.sequence, event.signingHash, sha256);
  if (sameBytes(leaf, event.leafHash)) {
    return {
      column: 'agent_keys.public_key',
      expected: `the one that signed event ${event.eventId}`,
      found: toHex(agentKey),
      detail: `the leaf has this signature in it, so ${keyName} must have been another one`,
    };
  }
  return {
    column: 'ves_events.agent_signature',
    expected: `a signature by ${keyName}`,
    found: toHex(agentSignature),
    detail: 'it does not hold, and the leaf was made with another one',
  };
}

function payloadFaults(event: StoredVesEvent, isHashDoubtful: boolean, { sha256 }: Cryptography): Fault[] {
  const isPlain = event.payloadKind === 0;
  const stored = statedPayloadHash(event);
  const hashColumn = isPlain ? 'payload_plain_hash' : 'payload_cipher_hash';
  const computed = storedPayloadHash(event, sha256);
  if (typeof computed === 'string') {
    const expected = `what has the ${hashColumn} ${toHex(stored)}`;
    return [{ column: 'ves_events.payload', expected, found: computed, detail: 'it can not be read' }];
  }
  // An encrypted payload's hash takes in the columns around it: what is wrong there is told already.
  if (sameBytes(computed, stored) || (!isPlain && isHashDoubtful)) return [];
  const detail = `the ${hashColumn} is ${isHashDoubtful ? 'another' : 'the one that was signed'}`;
  const hashes = { expected: `hash ${toHex(stored)}`, found: `hash ${toHex(computed)}` };
  return [{ column: 'ves_events.payload', ...hashes, detail }];
}

function receiptFaults(
  event: StoredVesEvent,
  signed: Hash,
  receiptKey: Uint8Array | null,
  isIdDoubtful: boolean,
  { sha256, verifyEd25519 }: Cryptography,
): Fault[] {
  const { receiptSignature } = event;
  if (receiptSignature === null || isIdDoubtful) return [];
  const { signature, keyVersion } = receiptSignature;
  if (receiptKey === null) {
    return [
      {
        column: 'ves_events.receipt_key_version',
        expected: 'a version in sequencer_keys',
        found: String(keyVersion),
        detail: 'keys of the sequencer are never removed, so that receipts can be checked',
      },
    ];
  }
  if (verifyEd25519(signature, receiptHash(event, event.sequence, signed, sha256), receiptKey)) return [];
  return [
    {
      column: 'ves_events.receipt_signature',
      expected: `a signature by version ${keyVersion} of the sequencer's key`,
      found: toHex(signature),
      detail: 'it does not hold over event_id, sequence and signing_hash',
    },
  ];
}

function differing(column: string, expected: Hash, found: Hash, detail: string): Fault {
  return { column: `ves_events.${column}`, expected: toHex(expected), found: toHex(found), detail };
}
