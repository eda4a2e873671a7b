import { Refused } from '../errors.ts';
import type { FieldReader } from '../json/fields.ts';
import type { Sha256 } from '../sha256.ts';
import type { Hash, Head, Sequence, StreamKey, Uuid } from '../types.ts';
import type { AgentPublicKey, SequencerPublicKey } from './keys.ts';
import { readCommitment, type SignedCommitment } from './read-commitment.ts';
import { type FoundEvent, readEvent } from './read-event.ts';
import { readAgentKey, readSequencerKey } from './read-keys.ts';
import { readReceipt, type Receipt } from './read-receipt.ts';
import { readDocument, record, values } from './read-record.ts';

/** What the member `format` of an export's first line says, and its version. */
export const exportFormat = 'stateset-sequencer-export';
export const exportFormatVersion = 1;

/** The first line of an export: which stream it holds, and how much of it. */
export interface ExportHeader extends StreamKey {
  /** Null when the sequencer signs nothing. */
  readonly sequencerId: Uuid | null;
  /** The first sequence that it holds. */
  readonly from: Sequence;
  /** The last one, which was the head when the export began. */
  readonly head: Head;
}

/** An event of an export. */
export interface ExportedEvent {
  readonly sequence: Sequence;
  readonly found: FoundEvent;
  readonly receipt: Receipt | null;
  /** As the log has them stored; null in an export over HTTP. */
  readonly signingHash: Hash | null;
  readonly leafHash: Hash | null;
}

/** A line after the first. */
export type ExportLine =
  | { readonly type: 'sequencer_key'; readonly key: SequencerPublicKey }
  | { readonly type: 'agent_key'; readonly key: AgentPublicKey }
  | { readonly type: 'commitment'; readonly commitment: SignedCommitment }
  | { readonly type: 'event'; readonly event: ExportedEvent }
  | { readonly type: 'end'; readonly events: number; readonly commitments: number };

/** @throws Refused when the line is not the first of an export, or of one that this version does not know */
export function readExportHeader(line: Uint8Array): ExportHeader {
  const found = readDocument(line, readHeaderRecord);
  const { format, format_version: version, world } = found;
  if (format !== exportFormat || version !== exportFormatVersion) {
    throw new Refused(
      'WRONG_SHAPE',
      `it is of the format ${format}, version ${version}; known is ${exportFormat}, version ${exportFormatVersion}`,
    );
  }
  if (world !== 'ves' && world !== 'legacy') throw new Refused('WRONG_SHAPE', `its world is ${world}`);
  return {
    world,
    tenantId: found.tenant_id,
    storeId: found.store_id,
    sequencerId: found.sequencer_id ?? null,
    from: found.from,
    head: found.head as Head,
  };
}

/** @throws Refused */
export function readExportLine(line: Uint8Array, sha256: Sha256): ExportLine {
  const { type } = readDocument(line, readTypeRecord);
  switch (type) {
    case 'sequencer_key':
      return { type, key: readDocument(line, readSequencerKey) };
    case 'agent_key':
      return { type, key: readDocument(line, readAgentKey) };
    case 'commitment':
      return { type, commitment: readDocument(line, readCommitment) };
    case 'event':
      return { type, event: readDocument(line, (fields) => readExportedEvent(fields, sha256)) };
    case 'end':
      return { type, ...readDocument(line, readEndRecord) };
    default:
      throw new Refused('WRONG_SHAPE', `a line of type ${JSON.stringify(type)} is not known`);
  }
}

const readHeaderRecord = record(
  {
    format: values.text,
    format_version: values.u32,
    world: values.text,
    tenant_id: values.uuid,
    store_id: values.uuid,
    from: values.sequence,
    head: values.count,
  },
  { sequencer_id: values.uuid },
);
const readTypeRecord = record({ type: values.text }, {});
const readEndRecord = record({ events: values.count, commitments: values.count }, {});

function readExportedEvent(fields: FieldReader, sha256: Sha256): ExportedEvent {
  const found = readEventRecord(fields);
  return {
    sequence: found.sequence_number,
    found: readDocument(found.event, (event) => readEvent(event, sha256)),
    receipt: found.receipt ?? null,
    signingHash: found.signing_hash ?? null,
    leafHash: found.leaf_hash ?? null,
  };
}

const readEventRecord = record(
  { sequence_number: values.sequence, event: values.raw },
  { receipt: readReceipt, signing_hash: values.hash, leaf_hash: values.hash },
);
