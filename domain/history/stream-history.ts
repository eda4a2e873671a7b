import type {
  AnsweredAppend,
  AppendRecord,
  CallRecord,
  ClaimRecord,
  HeadRecord,
  ReadRecord,
} from './record.ts';
import type { Findings, HistoryRule } from './rules.ts';

/** What the calls about one event id said. */
export interface EventHistory {
  /** The call that says it stored the event. */
  accepted: { readonly line: number; readonly payload: string; readonly invokedUs: number } | null;
  /** The answer that first said, in time, that the event is in the log. */
  confirmed: { readonly line: number; readonly sequence: number; readonly completedUs: number } | null;
  /** Calls whose outcome is unknown: each may have stored the event. */
  readonly attempts: { readonly line: number; readonly payload: string; readonly invokedUs: number }[];
  refusedLine: number | null;
  receipt: { readonly line: number; readonly text: string } | null;
  /** Where a read showed it. */
  readAt: number | null;
}

/** What the first read of a sequence showed, or the first final read of it. */
export interface LogEntry {
  readonly id: string;
  readonly payload: string;
  readonly line: number;
  readonly final: boolean;
}

/** Every answer bounds the head: it was at least `lowest` when the answer came, at most `highest` when asked for. */
export interface HeadObservation {
  readonly line: number;
  readonly invokedUs: number;
  readonly completedUs: number;
  readonly lowest: number;
  /** Null where the answer doesn't say, as a full page doesn't. */
  readonly highest: number | null;
}

export type VerifyReceipt = (receipt: string, event: ReceiptSubject) => boolean;

export interface ReceiptSubject {
  readonly stream: string;
  readonly id: string;
  readonly payload: string;
  readonly sequence: number;
}

/** Gathers the records of one stream and reports the contradictions that show at once; the rest waits for the end. */
export class StreamHistory {
  readonly name: string;
  readonly events = new Map<string, EventHistory>();
  readonly log = new Map<number, LogEntry>();
  readonly epochs = new Map<number, { readonly epoch: number; readonly line: number }>();
  readonly observations: HeadObservation[] = [];
  readonly claims: { readonly epoch: number; readonly head: number; readonly line: number }[] = [];
  /** Where the final reads say that the stream ends. */
  end: { readonly head: number; readonly line: number; readonly invokedUs: number } | null = null;
  /** The acknowledged append that ended last. */
  lastAppend: { readonly line: number; readonly completedUs: number } | null = null;
  private readonly highestSeen = new Map<string, { readonly head: number; readonly line: number }>();
  private readonly findings: Findings;
  private readonly verifyReceipt: VerifyReceipt | undefined;

  constructor(name: string, findings: Findings, verifyReceipt?: VerifyReceipt) {
    this.name = name;
    this.findings = findings;
    this.verifyReceipt = verifyReceipt;
  }

  addAppend(record: AppendRecord, line: number): void {
    if (record.outcome === 'acknowledged') {
      this.addAnsweredAppend(record, line);
      return;
    }
    for (const event of record.events) {
      const history = this.historyOf(event.id);
      if (record.outcome === 'refused') history.refusedLine ??= line;
      else history.attempts.push({ line, payload: event.payload, invokedUs: record.invokedUs });
    }
  }

  addHead(record: HeadRecord, line: number): void {
    this.observe(record, line, record.head, record.head);
    if (record.final === true) this.noteEnd(record, line, record.head);
  }

  addClaim(record: ClaimRecord, line: number): void {
    this.observe(record, line, record.head, record.head);
    this.claims.push({ epoch: record.epoch, head: record.head, line });
  }

  addRead(record: ReadRecord, line: number): void {
    this.findings.checked('contiguous');
    const final = record.final === true;
    let expected = record.from;
    for (const event of record.events) {
      if (event.sequence !== expected) {
        this.violated(
          'contiguous',
          [line],
          `a page has sequence ${event.sequence} where ${expected} belongs`,
        );
        expected = event.sequence;
      }
      expected += 1;
      this.addLogEntry(event.sequence, { id: event.id, payload: event.payload, line, final });
      if (event.epoch !== undefined) this.noteEpoch(event.sequence, event.epoch, line);
    }
    const last = expected - 1;
    const short = record.events.length < record.limit;
    this.observe(record, line, record.events.length === 0 ? 0 : last, short ? last : null);
    if (final && short) this.noteEnd(record, line, last);
  }

  private addAnsweredAppend(record: AnsweredAppend, line: number): void {
    let highest = 0;
    let previous: number | null = null;
    for (const event of record.events) {
      const history = this.historyOf(event.id);
      if (event.result === 'refused') {
        history.refusedLine ??= line;
        continue;
      }
      if (event.result === 'accepted') {
        this.findings.checked('call-in-order');
        if (previous !== null && event.sequence !== previous + 1) {
          this.violated('call-in-order', [line], `accepted at ${previous}, the next at ${event.sequence}`);
        }
        previous = event.sequence;
        this.accept(history, event.id, event.payload, record, line);
        if (event.epoch !== undefined) this.noteEpoch(event.sequence, event.epoch, line);
      }
      this.confirm(history, event.id, event.sequence, record, line);
      if (event.receipt !== undefined) this.noteReceipt(history, event.receipt, event, line);
      highest = Math.max(highest, event.sequence);
    }
    this.observe(record, line, highest, record.head ?? null);
    if (this.lastAppend === null || record.completedUs > this.lastAppend.completedUs) {
      this.lastAppend = { line, completedUs: record.completedUs };
    }
  }

  private accept(history: EventHistory, id: string, payload: string, call: CallRecord, line: number): void {
    this.findings.checked('one-sequence-per-event');
    if (history.accepted !== null) {
      const lines = [history.accepted.line, line];
      this.violated('one-sequence-per-event', lines, `event ${id} was accepted twice`);
      return;
    }
    history.accepted = { line, payload, invokedUs: call.invokedUs };
  }

  private confirm(history: EventHistory, id: string, sequence: number, call: CallRecord, line: number): void {
    const known = history.confirmed;
    if (known !== null && known.sequence !== sequence) {
      const message = `event ${id} was given sequence ${known.sequence} and sequence ${sequence}`;
      this.violated('one-sequence-per-event', [known.line, line], message);
      return;
    }
    if (known === null || call.completedUs < known.completedUs) {
      history.confirmed = { line, sequence, completedUs: call.completedUs };
    }
  }

  private noteReceipt(
    history: EventHistory,
    text: string,
    event: Omit<ReceiptSubject, 'stream'>,
    line: number,
  ): void {
    this.findings.checked('receipts-hold');
    if (history.receipt !== null && history.receipt.text !== text) {
      const lines = [history.receipt.line, line];
      this.violated('receipts-hold', lines, `event ${event.id} has two different receipts`);
    }
    history.receipt ??= { line, text };
    const { id, payload, sequence } = event;
    if (this.verifyReceipt?.(text, { stream: this.name, id, payload, sequence }) === false) {
      this.violated('receipts-hold', [line], `the receipt for event ${id} does not verify`);
    }
  }

  private addLogEntry(sequence: number, entry: LogEntry): void {
    this.findings.checked('reads-agree');
    const known = this.log.get(sequence);
    if (known === undefined) {
      this.log.set(sequence, entry);
      this.noteSequence(sequence, entry);
      return;
    }
    if (known.id !== entry.id || known.payload !== entry.payload) {
      const what =
        known.id === entry.id ? 'with two different payloads' : `as event ${known.id} and ${entry.id}`;
      const message = `sequence ${sequence} was read ${what}`;
      this.violated('reads-agree', [known.line, entry.line], message);
    }
    if (!entry.final || known.final) return;
    this.log.set(sequence, entry); // What is present is what the final reading shows.
    if (known.id !== entry.id) this.noteSequence(sequence, entry);
  }

  private noteSequence(sequence: number, entry: LogEntry): void {
    const history = this.historyOf(entry.id);
    this.findings.checked('one-sequence-per-event');
    if (history.readAt === null) {
      history.readAt = sequence;
      return;
    }
    const first = this.log.get(history.readAt)?.line ?? entry.line;
    const message = `event ${entry.id} is stored at sequence ${history.readAt} and at sequence ${sequence}`;
    this.violated('one-sequence-per-event', [first, entry.line], message);
  }

  private noteEpoch(sequence: number, epoch: number, line: number): void {
    const known = this.epochs.get(sequence);
    if (known === undefined) {
      this.epochs.set(sequence, { epoch, line });
    } else if (known.epoch !== epoch) {
      const message = `sequence ${sequence} has epoch ${known.epoch} and epoch ${epoch}`;
      this.violated('epochs-never-fall', [known.line, line], message);
    }
  }

  private noteEnd(call: CallRecord, line: number, head: number): void {
    if (this.end === null || head > this.end.head) this.end = { head, line, invokedUs: call.invokedUs };
  }

  private observe(call: CallRecord, line: number, lowest: number, highest: number | null): void {
    const seen = this.highestSeen.get(call.process);
    if (highest !== null) {
      this.findings.checked('head-never-falls');
      if (highest < lowest) {
        this.violated('head-never-falls', [line], `the answer shows sequence ${lowest} and head ${highest}`);
      } else if (seen !== undefined && highest < seen.head) {
        const message = `${call.process} saw head ${seen.head}, then head ${highest}`;
        this.violated('head-never-falls', [seen.line, line], message);
      }
    }
    if (seen === undefined || lowest > seen.head) this.highestSeen.set(call.process, { head: lowest, line });
    const { invokedUs, completedUs } = call;
    this.observations.push({ line, invokedUs, completedUs, lowest, highest });
  }

  private historyOf(id: string): EventHistory {
    let history = this.events.get(id);
    if (history === undefined) {
      history = {
        accepted: null,
        confirmed: null,
        attempts: [],
        refusedLine: null,
        receipt: null,
        readAt: null,
      };
      this.events.set(id, history);
    }
    return history;
  }

  private violated(rule: HistoryRule, lines: readonly number[], message: string): void {
    this.findings.violated({ rule, stream: this.name, lines, message });
  }
}
