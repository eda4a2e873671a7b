import { UnusableEvidence } from '../errors.ts';
import type { FieldReader } from '../json/fields.ts';
import type { Sha256 } from '../sha256.ts';
import { noKeys, type PublicKeys } from './keys.ts';
import { type Bundle, bundleFormat, readBundle } from './read-bundle.ts';
import { readCommitment, type SignedCommitment } from './read-commitment.ts';
import { type FoundEvent, readEvent } from './read-event.ts';
import { exportFormat } from './read-export.ts';
import { readAgentKey, readAgentKeys, readSequencer } from './read-keys.ts';
import { type Receipt, readReceipt } from './read-receipt.ts';
import { listOf, readDocument, record, values } from './read-record.ts';

/** An event with the receipt that stands beside it, if one does. */
export interface EventWithReceipt {
  readonly event: FoundEvent;
  readonly receipt: Receipt | null;
}

/** What a JSON document turned out to be. */
export type Evidence =
  | { readonly kind: 'bundle'; readonly bundle: Bundle }
  /** Events as reads return them or as they were sent, and the keys that stand beside them. */
  | { readonly kind: 'events'; readonly events: readonly EventWithReceipt[]; readonly keys: PublicKeys }
  /** Receipts whose events are elsewhere: the answer to an ingest, or one alone. */
  | { readonly kind: 'receipts'; readonly receipts: readonly Receipt[] }
  | { readonly kind: 'commitment'; readonly commitment: SignedCommitment }
  | { readonly kind: 'keys'; readonly keys: PublicKeys };

/**
 * Finds out what a document is, by the names of its members, and reads it.
 * @throws UnusableEvidence when it is nothing that can be checked
 * @throws Refused when it can't be read, or lacks something
 */
export function readEvidence(document: Uint8Array, sha256: Sha256): Evidence {
  const outline = readDocument(document, readOutline);
  const event = (fields: FieldReader): FoundEvent => readEvent(fields, sha256);
  if (outline.format !== undefined) {
    if (outline.format === exportFormat) {
      throw new UnusableEvidence('an export is read line by line, not as one document');
    }
    if (outline.format !== bundleFormat) {
      throw new UnusableEvidence(`the format ${JSON.stringify(outline.format)} is not known`);
    }
    return { kind: 'bundle', bundle: readDocument(document, (fields) => readBundle(fields, sha256)) };
  }
  if (outline.event !== undefined) {
    const found = readDocument(
      document,
      record({ event }, { receipt: readReceipt, sequencer: readSequencer, agent_key: readAgentKey }),
    );
    const keys = found.sequencer ?? noKeys;
    const agentKeys = found.agent_key === undefined ? [] : [found.agent_key];
    return {
      kind: 'events',
      events: [{ event: found.event, receipt: found.receipt ?? null }],
      keys: { ...keys, agentKeys },
    };
  }
  if (outline.events !== undefined) {
    const texts = readDocument(outline.events, listOf(values.raw));
    return { kind: 'events', events: texts.map((text) => readListed(text, sha256)), keys: noKeys };
  }
  if (outline.receipts !== undefined) {
    return { kind: 'receipts', receipts: readDocument(outline.receipts, listOf(readReceipt)) };
  }
  if (outline.receiptHash !== undefined) {
    return { kind: 'receipts', receipts: [readDocument(document, readReceipt)] };
  }
  if (outline.keys !== undefined) return { kind: 'keys', keys: readKeys(document, outline) };
  if (outline.new_state_root !== undefined) {
    return { kind: 'commitment', commitment: readDocument(document, readCommitment) };
  }
  throw new UnusableEvidence(
    'it is no receipt, no answer to an ingest, no event, no proof bundle, no commitment and no list of keys',
  );
}

/**
 * Reads keys: what `GET /api/v1/sequencer/keys` or `GET /api/v1/agents/:agent_id/keys` answers.
 * @throws UnusableEvidence when it is something else
 * @throws Refused when it can't be read, or lacks something
 */
export function readKeysDocument(document: Uint8Array): PublicKeys {
  const outline = readDocument(document, readOutline);
  if (outline.keys === undefined) throw new UnusableEvidence('it is no list of keys');
  return readKeys(document, outline);
}

function readKeys(document: Uint8Array, outline: ReturnType<typeof readOutline>): PublicKeys {
  const isSequencer = outline.sequencerId !== undefined || outline.sequencer_id !== undefined;
  return readDocument(document, isSequencer ? readSequencer : readAgentKeys);
}

/** An event in a list stands alone, as in a request, or beside its receipt, as in the answer to a read. */
function readListed(text: Uint8Array, sha256: Sha256): EventWithReceipt {
  const beside = readDocument(text, readBeside);
  const event = readDocument(beside.event ?? text, (fields) => readEvent(fields, sha256));
  return { event, receipt: beside.receipt ?? null };
}

const readBeside = record({}, { event: values.raw, receipt: readReceipt });

const readOutline = record(
  {},
  {
    format: values.text,
    event: values.raw,
    events: values.raw,
    receipts: values.raw,
    receiptHash: values.raw,
    keys: values.raw,
    sequencerId: values.raw,
    sequencer_id: values.raw,
    new_state_root: values.raw,
  },
);
