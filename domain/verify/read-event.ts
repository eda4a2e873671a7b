import type { FieldReader } from '../json/fields.ts';
import { readLegacyEvent, type LegacyEventInRequest } from '../legacy/read-request.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, Sequence } from '../types.ts';
import { readVesEvent, type VesEventInRequest } from '../ves/read-request.ts';
import { readDocument, record, values } from './read-record.ts';

/** An event as it came, with the sequence that stands in it; null when none does. */
export type FoundEvent =
  | {
      readonly world: 'ves';
      readonly event: VesEventInRequest;
      readonly sequence: Sequence | null;
      /** Whether its tenant was erased: the payload is null and its hash stands for it. */
      readonly isErased: boolean;
    }
  | {
      readonly world: 'legacy';
      /** Of an erased one, `payloadHash` is the stated one. */
      readonly event: LegacyEventInRequest;
      readonly sequence: Sequence | null;
      readonly isErased: boolean;
      /** Null when left out; then the leaf alone tells whether the payload is the one that was stored. */
      readonly statedPayloadHash: Hash | null;
    };

const readOutline = record(
  {},
  {
    envelope: values.raw,
    source_agent_id: values.text,
    sequence_number: values.sequence,
    payload_hash: values.hash,
    payload_erased: values.boolean,
  },
);

/**
 * Reads an event of either world, in the form in which reads return it or in that of requests.
 * @throws Refused
 */
export function readEvent(fields: FieldReader, sha256: Sha256): FoundEvent {
  const document = fields.document();
  const outline = readDocument(document, readOutline);
  if (outline.source_agent_id !== undefined) {
    return {
      world: 'ves',
      event: readVesEvent(document, 'lenient', sha256),
      sequence: outline.sequence_number ?? null,
      isErased: outline.payload_erased === true,
    };
  }
  const envelope = outline.envelope ?? document;
  const inner = outline.envelope === undefined ? outline : readDocument(envelope, readOutline);
  const event = readLegacyEvent(envelope, sha256);
  const statedPayloadHash = inner.payload_hash ?? null;
  const isErased = inner.payload_erased === true && statedPayloadHash !== null;
  return {
    world: 'legacy',
    event: isErased ? { ...event, payloadHash: statedPayloadHash } : event,
    sequence: inner.sequence_number ?? null,
    isErased,
    statedPayloadHash,
  };
}
