import { hash } from 'node:crypto';
import type { EntityKey } from '../event-log.ts';

/**
 * The eight bytes by which the log indexes entities: the start of SHA-256 over type and id, as a signed integer. Two
 * entities may share it, so whoever looks up by it compares type and id as well. Stored, hence never changed; Postgres'
 * own hash functions promise no such thing.
 */
export function entityHash({ entityType, entityId }: EntityKey): bigint {
  // NUL can't be stored in either part, so it separates them.
  return hash('sha256', `${entityType}\0${entityId}`, 'buffer').readBigInt64BE(0);
}
