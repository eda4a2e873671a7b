import { sameBytes, toHex, utf8Bytes } from '../../domain/bytes.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import { legacyLeafHash } from '../../domain/legacy/hashes.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { Hash } from '../../domain/types.ts';
import { entityHash } from '../../storage/postgres/entity-hash.ts';
import type { Fault } from './finding.ts';
import { flips } from './flipped-bit.ts';
import { damagedPayload, type OpenedRow } from './opened-row.ts';
import { storedPayloadHash } from './payload-hash.ts';

/**
 * Checks a legacy event as it is stored. The payload hash vouches for the payload, and the leaf for the payload hash and the
 * entity; nothing vouches for the rest of the envelope.
 */
export function checkLegacyRow(
  { event, entityHash: storedEntityHash, opened }: OpenedRow<StoredLegacyEvent>,
  sha256: Sha256,
): Fault[] {
  const { payloadHash, leafHash, entityType, entityId, sequence } = event;
  const leafOf = (fields: { payloadHash?: Hash; entityType?: string; entityId?: string }): Hash => {
    const { payloadHash: hash, entityType: type, entityId: id } = { ...event, ...fields };
    return legacyLeafHash(event, sequence, hash, type, id, sha256);
  };
  const leafHolds = sameBytes(leafOf({}), leafHash);
  const expectedEntityHash = entityHash(event).toString();
  const entityHolds = expectedEntityHash === storedEntityHash;
  const faults: Fault[] = [];

  if (opened.kind === 'damaged') faults.push(damagedPayload('legacy', opened.reason));
  const ofPayload = opened.kind === 'payload' ? storedPayloadHash(event, sha256) : payloadHash;
  const payloadHolds = typeof ofPayload !== 'string' && sameBytes(ofPayload, payloadHash);
  if (!payloadHolds) {
    const isHashWrong =
      typeof ofPayload !== 'string' && sameBytes(leafOf({ payloadHash: ofPayload }), leafHash);
    faults.push(
      isHashWrong
        ? hashFault('payload_hash', ofPayload, payloadHash, 'the leaf has the hash of the payload in it')
        : {
            column: 'legacy_events.payload',
            expected: `hash ${toHex(payloadHash)}`,
            found: typeof ofPayload === 'string' ? ofPayload : `hash ${toHex(ofPayload)}`,
            detail: leafHolds ? 'the leaf has this payload_hash in it' : 'the leaf fits neither',
          },
    );
    if (isHashWrong) return faults;
  }
  if (!leafHolds) {
    const flipped = entityHolds
      ? null
      : flippedEntity(event, (fields) => sameBytes(leafOf(fields), leafHash));
    if (flipped !== null) return [...faults, flipped];
    faults.push(
      hashFault('leaf_hash', leafOf({}), leafHash, 'from sequence, payload_hash, entity_type and entity_id'),
    );
  }
  if (!entityHolds) {
    faults.push({
      column: 'legacy_events.entity_hash',
      expected: expectedEntityHash,
      found: storedEntityHash,
      detail: `from entity_type and entity_id (${JSON.stringify([entityType, entityId])})`,
    });
  }
  return faults;
}

/** The name of the entity whose one flipped bit explains a leaf. */
function flippedEntity(
  event: StoredLegacyEvent,
  fits: (fields: { entityType?: string; entityId?: string }) => boolean,
): Fault | null {
  const columns = [
    ['entityType', 'legacy_events.entity_type'],
    ['entityId', 'legacy_events.entity_id'],
  ] as const;
  for (const [field, column] of columns) {
    for (const bytes of flips(utf8Bytes(event[field]))) {
      const expected = utf8.decode(bytes);
      if (!fits({ [field]: expected })) continue;
      return { column, expected, found: event[field], detail: 'one flipped bit explains the leaf' };
    }
  }
  return null;
}

function hashFault(column: string, expected: Hash, found: Hash, detail: string): Fault {
  return { column: `legacy_events.${column}`, expected: toHex(expected), found: toHex(found), detail };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
