import { randomBytes, randomUUID } from 'node:crypto';
import type { Hash, StreamKey, Uuid, World } from '../../domain/types.ts';

export function newStream(world: World): StreamKey {
  return { tenantId: newUuid(), storeId: newUuid(), world };
}

export function newUuid(): Uuid {
  return randomUUID() as string as Uuid;
}

/** Each with bytes of its own. */
export function randomLeaves(count: number): Hash[] {
  return Array.from({ length: count }, () => new Uint8Array(randomBytes(32)) as Uint8Array as Hash);
}
