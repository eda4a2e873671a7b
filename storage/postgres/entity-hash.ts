import { hash } from 'node:crypto';
import type { EntityKey } from '../event-log.ts';

/**
 * The eight bytes by which the log indexes entities: the start of SHA-256 over type and id, as a signed integer. Two
 * entities may share it, so whoever looks up by it compares type and id as well. Stored, hence never changed; Postgres'
 * own hash functions promise no such thing.
 */
export function entityHash(entity: EntityKey): bigint {
  return entityHashBytes(entity).readBigInt64BE(0);
}

/** The same as its eight bytes, big-endian, valid until the next call. */
export function entityHashBytes({ entityType, entityId }: EntityKey): Buffer {
  // NUL can't be stored in either part, so it separates them. As latin1, since a digest that comes as a Buffer of its own costs
  // twice as much (services/node-sha256.ts).
  scratch.write(hash('sha256', `${entityType}\0${entityId}`, 'binary'), 0, 8, 'latin1');
  return scratch;
}

const scratch = Buffer.alloc(8);
