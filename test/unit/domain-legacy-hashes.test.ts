import { parseHex, toHex, utf8Bytes } from '../../domain/bytes.ts';
import { legacyLeafHash, legacyPayloadHash } from '../../domain/legacy/hashes.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { Hash, Sequence, StoreKey } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { vectors } from '../vectors/ves-v1.ts';

const stream = vectors.legacy_stream;
const store: StoreKey = { tenantId: parseUuid(stream.tenant_id)!, storeId: parseUuid(stream.store_id)! };

test.each(vectors.json)('the payload hash of $name is reproduced', ({ input, legacy_payload_hash }) => {
  expect(toHex(legacyPayloadHash(utf8Bytes(input), portableSha256))).toBe(legacy_payload_hash);
});

test('the leaf of every event of the published stream is reproduced', () => {
  const leaves = stream.events.map(({ event, sequence_number }) =>
    toHex(
      legacyLeafHash(
        store,
        sequence_number as Sequence,
        parseHex(event.payload_hash, 32) as Hash,
        event.entity_type,
        event.entity_id,
        portableSha256,
      ),
    ),
  );
  expect(leaves).toEqual(stream.events.map(({ leaf_hash }) => leaf_hash));
});

test('names longer than an accepted event may have are hashed as well', () => {
  const hash = (entityId: string): string =>
    toHex(
      legacyLeafHash(store, 1 as Sequence, new Uint8Array(32) as Hash, 'order', entityId, portableSha256),
    );
  expect(hash('é'.repeat(10_000))).not.toBe(hash('é'.repeat(9_999)));
});
