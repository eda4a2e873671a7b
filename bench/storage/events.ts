import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Micros, Uuid } from '../../domain/types.ts';

/** What the layouts store of one event, whatever their columns are called. */
export interface BenchEvent {
  readonly eventId: Uuid;
  readonly commandId: Uuid | null;
  readonly entityType: string;
  readonly entityId: string;
  readonly entityHash: bigint;
  readonly payload: Buffer;
  readonly hash: Buffer;
}

/** Ids that every event of a run shares. */
export const benchAgent = randomUUID() as Uuid;
export const benchRequest = randomUUID() as Uuid;

export function nowMicros(): Micros {
  return (BigInt(Date.now()) * 1_000n) as Micros;
}

/** One in a hundred events belongs to this entity, so that there is a history to page through. */
export const hotEntity = entityNumbered(0);

/** The other events spread evenly over this many entities, half of which a batch meets for the first time at most. */
export function makeEvent(entityCount: number): BenchEvent {
  const entity =
    Math.random() < 0.01 ? hotEntity : entityNumbered(1 + Math.floor(Math.random() * entityCount));
  return {
    ...entity,
    eventId: randomUUID() as Uuid,
    commandId: Math.random() < 0.5 ? (randomUUID() as Uuid) : null,
    payload: payloads[Math.floor(Math.random() * payloads.length)]!,
    hash: hashes[Math.floor(Math.random() * hashes.length)] as Buffer,
  };
}

/** The same numbers that `entityHashSql` gives, so that events made here meet those that the server made. */
export function entityNumbered(number: number): Pick<BenchEvent, 'entityType' | 'entityId' | 'entityHash'> {
  const entityId = `order-${number}`;
  const digest = createHash('sha256').update(entityId).digest();
  return { entityType: 'order', entityId, entityHash: digest.readBigInt64BE(0) };
}

/** Nested JSON of about 1 KB, half of it random text: TOAST does not compress it away. */
function makePayload(): Buffer {
  const text = (bytes: number): string => randomBytes(bytes).toString('base64url');
  const line = (n: number): object => ({
    sku: text(12),
    quantity: n,
    price: { amount: (Math.random() * 1_000).toFixed(2), currency: 'EUR' },
    note: text(40),
  });
  const payload = {
    order: {
      id: text(16),
      customer: { id: text(16), name: text(24), address: { street: text(30), zip: text(6) } },
    },
    lines: [1, 2, 3, 4, 5].map(line),
    tags: [text(8), text(8)],
  };
  return Buffer.from(JSON.stringify(payload));
}

const payloads = Array.from({ length: 2_000 }, makePayload);
const hashes = Array.from({ length: 2_000 }, () => randomBytes(32));
