import { createHash } from 'node:crypto';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import type { Hash, Micros, Uuid } from '../../domain/types.ts';
import type { CheckedVesEvent } from '../../domain/ves/event.ts';

/** A UUID that is easy to tell from others in a failure message. */
export function uuid(number: number): Uuid {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}` as Uuid;
}

/** An event of the given number; every field can be replaced. */
export function makeEvent(number: number, fields: Partial<LegacyEvent> = {}): LegacyEvent {
  const payload = fields.payload ?? new TextEncoder().encode(JSON.stringify({ number }));
  return {
    eventId: uuid(number),
    commandId: null,
    entityType: 'order',
    entityId: `ORD-${number}`,
    eventType: 'order.created',
    sourceAgent: uuid(0xa0),
    createdAt: 1_700_000_000_000_000n as Micros,
    baseVersion: null,
    payload,
    payloadHash: new Uint8Array(createHash('sha256').update(payload).digest()) as Hash,
    payloadHashDiffers: false,
    signature: null,
    ...fields,
  };
}

/** A signed event of the given number, as if every check had passed; every field can be replaced. */
export function makeVesEvent(number: number, fields: Partial<CheckedVesEvent> = {}): CheckedVesEvent {
  const digest = (text: string) =>
    new Uint8Array(createHash('sha256').update(`${text} ${number}`).digest()) as Hash;
  return {
    vesVersion: 1,
    eventId: uuid(number),
    commandId: null,
    sourceAgent: uuid(0xa0),
    agentKeyId: 1,
    entityType: 'order',
    entityId: `ORD-${number}`,
    eventType: 'order.created',
    createdAtText: '2023-11-14T22:13:20Z',
    createdAt: 1_700_000_000_000_000n as Micros,
    baseVersion: null,
    payloadKind: 0,
    payload: new TextEncoder().encode(JSON.stringify({ number })),
    payloadPlainHash: digest('plain'),
    payloadCipherHash: new Uint8Array(32) as Hash,
    agentSignature: new Uint8Array([...digest('signature'), ...digest('signature')]),
    signatureScheme: null,
    signingHash: digest('signing'),
    fault: null,
    ...fields,
  };
}
