import { sameBytes, toHex } from '../bytes.ts';
import { SequencerError } from '../errors.ts';
import { GrowingTree } from '../merkle/growing-tree.ts';
import type { Hash } from '../types.ts';
import { eventSigningHash } from '../ves/hashes.ts';
import { addKeys } from './add-keys.ts';
import { Checklist, type VerifyReport } from './checklist.ts';
import { type Cryptography, portableCryptography } from './cryptography.ts';
import { KeyRing, noKeys, type PublicKeys } from './keys.ts';
import type { SignedCommitment } from './read-commitment.ts';
import { type ExportedEvent, type ExportHeader, type ExportLine, readExportLine } from './read-export.ts';
import { SeenIds } from './seen-ids.ts';
import { commitmentSubject, verifyCommitment, verifyLink } from './verify-commitment.ts';
import { leafOf, verifyEvent } from './verify-event.ts';
import { verifyReceipt } from './verify-receipt.ts';
import type { VerifyContext } from './verify-signature.ts';

export interface VerifyStreamOptions {
  /** Keys that the verifier has from elsewhere. */
  readonly keys?: PublicKeys;
  readonly cryptography?: Cryptography;
  readonly requireSignatures?: boolean;
}

/**
 * Checks a stream event by event, as an export has it: keys, then commitments, then events, each in order. Of the events it
 * keeps their ids, of an open commitment one hash a level of its tree, and of the commitments those still to come.
 */
export class StreamVerifier {
  private readonly header: ExportHeader;
  private readonly context: VerifyContext;
  private readonly checklist = new Checklist('exceptions');
  private readonly seenIds = new SeenIds();
  private readonly commitments: SignedCommitment[] = [];
  private commitmentCount = 0;
  private lastCommitment: SignedCommitment | null = null;
  /** The first of `commitments` whose last event was not yet seen. */
  private openIndex = 0;
  private tree: GrowingTree | null = null;
  /** The first event of the open commitment that can't be read. */
  private lostLeaf: number | null = null;
  private eventCount = 0;
  /** The sequence that has to come next. */
  private expected: number;
  private end: { readonly events: number; readonly commitments: number } | null = null;

  constructor(header: ExportHeader, options: VerifyStreamOptions = {}) {
    this.header = header;
    this.expected = header.from;
    this.context = {
      keys: new KeyRing(options.keys),
      cryptography: options.cryptography ?? portableCryptography,
      checklist: this.checklist,
      requireSignatures: options.requireSignatures ?? false,
    };
    addKeys({ ...noKeys, sequencerId: header.sequencerId }, this.context);
  }

  /** Takes the text of the next line. One that can't be read counts as a failure of what stands there. */
  addText(text: Uint8Array, lineNumber: number): ExportLine | null {
    let line: ExportLine;
    try {
      line = readExportLine(text, this.context.cryptography.sha256);
    } catch (error) {
      if (!(error instanceof SequencerError)) throw error;
      this.addUnreadable(text, lineNumber, error.message);
      return null;
    }
    this.add(line);
    return line;
  }

  add(line: ExportLine): void {
    if (this.end !== null) {
      this.checklist.failed('complete', line.type, 'it comes after the line that ends the export');
    }
    switch (line.type) {
      case 'sequencer_key':
        addKeys({ ...noKeys, sequencerKeys: [line.key] }, this.context);
        break;
      case 'agent_key':
        addKeys({ ...noKeys, agentKeys: [line.key] }, this.context);
        break;
      case 'commitment':
        this.addCommitment(line.commitment);
        break;
      case 'event':
        this.addEvent(line.event);
        break;
      case 'end':
        this.end = line;
    }
  }

  finish(): VerifyReport {
    const { checklist, header, eventCount, commitmentCount, end, expected } = this;
    for (const commitment of this.commitments.slice(this.openIndex)) {
      const detail = `the export ends at ${expected - 1}, before the commitment does`;
      checklist.failed('root', commitmentSubject(commitment), detail);
    }
    const missing = header.head - (expected - 1);
    if (missing !== 0) {
      checklist.failed(
        'complete',
        'export',
        `it ends at event ${expected - 1}; its first line says ${header.head}`,
      );
    } else if (end === null) {
      checklist.failed('complete', 'export', 'the line that ends it is missing');
    } else if (end.events !== eventCount || end.commitments !== commitmentCount) {
      checklist.failed(
        'complete',
        'export',
        `it has ${eventCount} events and ${commitmentCount} commitments; its last line says ${end.events} and ${end.commitments}`,
      );
    } else {
      checklist.held('complete', 'export');
    }
    return checklist.report();
  }

  /** An event of which only the sequence can be read still stands at its place; the others are not blamed for it. */
  private addUnreadable(text: Uint8Array, lineNumber: number, fault: string): void {
    const { checklist, expected } = this;
    const sequence = sequenceOf(text);
    if (sequence === null) {
      const after = this.eventCount > 0 ? `, after event ${expected - 1}` : '';
      checklist.failed('readable', `line ${lineNumber}${after}`, fault);
      return;
    }
    const subject = `event ${sequence}`;
    checklist.failed('readable', subject, `line ${lineNumber}: ${fault}`);
    this.eventCount++;
    this.noteOrder(subject, sequence, null);
    this.growTree(sequence, null);
  }

  private addCommitment(commitment: SignedCommitment): void {
    const { header, checklist, context, lastCommitment } = this;
    const subject = commitmentSubject(commitment);
    this.commitmentCount++;
    if (!isOfStream(commitment, header)) {
      checklist.failed('range', subject, 'it is of another stream');
      return;
    }
    if (this.eventCount > 0) {
      checklist.failed('complete', subject, 'it comes after the first event; commitments come before');
      return;
    }
    verifyCommitment(commitment, context);
    if (lastCommitment !== null) verifyLink(lastCommitment, commitment, context);
    else if (header.from === 1) verifyLink('none', commitment, context);
    else checklist.unchecked('chain', subject, 'the export does not begin at 1', 'out of reach');
    this.lastCommitment = commitment;
    if (commitment.sequenceStart >= header.from) {
      this.commitments.push(commitment);
    } else {
      const detail = `it begins before the export, which begins at ${header.from}`;
      checklist.unchecked('root', subject, detail, 'out of reach');
    }
  }

  private addEvent({ sequence, found, receipt, signingHash, leafHash }: ExportedEvent): void {
    const { checklist, context, header } = this;
    const subject = `event ${sequence}`;
    const { sha256 } = context.cryptography;
    this.eventCount++;
    this.noteOrder(subject, sequence, found.sequence);
    if (!isOfStream({ world: found.world, ...found.event }, header)) {
      checklist.failed('order', subject, 'it is of another stream');
    }
    const before = this.seenIds.add(found.event.eventId, sequence);
    if (before === null) checklist.held('one-sequence-per-event', subject);
    else {
      const detail = `its id ${found.event.eventId} is also that of event ${before}`;
      checklist.failed('one-sequence-per-event', subject, detail);
    }

    verifyEvent(subject, found, context);
    if (found.world === 'ves') {
      if (signingHash !== null) {
        this.compare('signing-hash', subject, signingHash, eventSigningHash(found.event, sha256));
      }
      if (receipt === null) checklist.failed('receipt-hash', subject, 'the event has no receipt');
      else this.checkReceipt(subject, sequence, receipt, found.event);
    }
    const leaf = leafOf(found, sequence, context);
    if (leafHash !== null) this.compare('leaf', subject, leafHash, leaf);
    this.growTree(sequence, leaf);
  }

  private checkReceipt(
    subject: string,
    sequence: number,
    receipt: NonNullable<ExportedEvent['receipt']>,
    event: Parameters<typeof verifyReceipt>[2],
  ): void {
    if (receipt.sequence !== sequence) {
      this.checklist.failed('order', subject, `its receipt names sequence ${receipt.sequence}`);
    }
    verifyReceipt(subject, receipt, event, this.context);
  }

  private noteOrder(subject: string, sequence: number, stated: number | null): void {
    const { checklist, expected } = this;
    if (stated !== null && stated !== sequence) {
      checklist.failed('order', subject, `the event itself names sequence ${stated}`);
    } else if (sequence === expected) {
      checklist.held('order', subject);
    } else if (sequence > expected) {
      const missing = sequence - 1 === expected ? `${expected} is` : `${expected}..${sequence - 1} are`;
      checklist.failed('order', subject, `${missing} missing before it`);
    } else {
      checklist.failed('order', subject, `it comes after event ${expected - 1}`);
    }
    this.expected = Math.max(expected, sequence + 1);
  }

  /** @param leaf null when it can't be worked out */
  private growTree(sequence: number, leaf: Hash | null): void {
    let commitment = this.commitments[this.openIndex];
    // Those that lie before this event lack one that is missing.
    while (commitment !== undefined && commitment.sequenceEnd < sequence) {
      this.closeTree(commitment, 'its last event is missing');
      commitment = this.commitments[this.openIndex];
    }
    if (commitment === undefined || sequence < commitment.sequenceStart) return;
    const { sha256 } = this.context.cryptography;
    this.tree ??= new GrowingTree(this.header.world, sha256, () => undefined);
    if (leaf === null) this.lostLeaf ??= sequence;
    else this.tree.add(leaf);
    if (sequence < commitment.sequenceEnd) return;
    const { lostLeaf } = this;
    this.closeTree(commitment, lostLeaf === null ? this.tree.finish() : `event ${lostLeaf} can't be read`);
  }

  /** @param root a sentence when it can't be worked out */
  private closeTree(commitment: SignedCommitment, root: Hash | string): void {
    const subject = commitmentSubject(commitment);
    if (typeof root === 'string') this.checklist.failed('root', subject, root);
    else this.compare('root', subject, commitment.root, root);
    this.tree = null;
    this.lostLeaf = null;
    this.openIndex++;
  }

  private compare(
    rule: 'signing-hash' | 'leaf' | 'root',
    subject: string,
    found: Hash,
    expected: Hash,
  ): void {
    const holds = sameBytes(found, expected);
    const detail = holds ? '' : `it is ${toHex(found)}; from the events follows ${toHex(expected)}`;
    this.checklist.note(rule, subject, holds, detail);
  }
}

function isOfStream(
  a: Pick<ExportHeader, 'tenantId' | 'storeId' | 'world'>,
  b: Pick<ExportHeader, 'tenantId' | 'storeId' | 'world'>,
): boolean {
  return a.tenantId === b.tenantId && a.storeId === b.storeId && a.world === b.world;
}

/** The sequence of an event's line that can't be read as a whole: exports have it right behind the type. */
function sequenceOf(text: Uint8Array): number | null {
  const start = utf8.decode(text.subarray(0, eventStartBytes));
  const digits = /^\{"type":"event","sequence_number":(\d{1,16}),/.exec(start)?.[1];
  return digits === undefined ? null : Number(digits);
}

const eventStartBytes = 64;
const utf8 = new TextDecoder();
