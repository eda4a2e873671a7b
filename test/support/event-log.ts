import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import {
  type EventId,
  type Hash,
  type Head,
  headAt,
  type Heads,
  type Micros,
  type RequestId,
  type Sequence,
  sequenceAfter,
  type StoreKey,
  type Uuid,
} from '../../domain/types.ts';
import type { AppendBatch, Claim, EventLog, NewLegacyEvent } from '../../storage/event-log.ts';

export function randomId(): Uuid {
  return randomUUID() as Uuid;
}

export function newStore(): StoreKey {
  return { tenantId: randomId(), storeId: randomId() };
}

export function headsOf(legacy: number): Heads {
  return { legacy: legacy as Head, ves: 0 as Head };
}

/** An event with ids of its own; every field can be replaced. */
export function randomEvent(fields: Partial<LegacyEvent> = {}): LegacyEvent {
  const payload = fields.payload ?? Buffer.from(JSON.stringify({ note: randomBytes(12).toString('hex') }));
  return {
    eventId: randomId(),
    commandId: null,
    entityType: 'order',
    entityId: `ORD-${randomBytes(4).toString('hex')}`,
    eventType: 'order.created',
    sourceAgent: randomId(),
    createdAt: 1_700_000_000_123_456n as Micros,
    baseVersion: null,
    payload,
    payloadHash: sha256(payload),
    payloadHashDiffers: false,
    signature: null,
    ...fields,
  };
}

export function sha256(bytes: Uint8Array): Hash {
  return new Uint8Array(createHash('sha256').update(bytes).digest()) as Hash;
}

export interface BatchFields {
  readonly requestId?: RequestId;
  readonly sequencedAt?: Micros;
}

/** A batch of these events after `head`, under `claim`. */
export function batchOf(
  claim: Claim,
  head: number,
  events: readonly LegacyEvent[],
  fields: BatchFields = {},
): AppendBatch {
  const requestId = fields.requestId ?? randomId();
  let last = head as Head;
  const legacy = events.map((event): NewLegacyEvent => {
    const sequence = sequenceAfter(last);
    last = headAt(sequence);
    return { event, sequence, requestId, leafHash: sha256(Buffer.from(event.eventId)) };
  });
  return {
    claim,
    expectedHeads: { legacy: head as Head, ves: claim.heads.ves },
    sequencedAt: fields.sequencedAt ?? (1_700_000_001_000_000n as Micros),
    legacy,
    ves: [],
  };
}

/** What a reader finds must be 1, 2, 3 … head, each event id once, whatever was done to the log before. */
export async function checkLog(log: EventLog, store: StoreKey, eventIds: readonly EventId[]): Promise<void> {
  const { legacy } = await log.heads(store);
  const stored = await log.readLegacy(store, 1 as Sequence, (legacy + 10) as Sequence);
  expect(stored.map((event) => event.sequence)).toEqual(
    Array.from({ length: legacy }, (_, index) => index + 1),
  );
  expect(stored.map((event) => event.eventId)).toEqual(eventIds);
}
