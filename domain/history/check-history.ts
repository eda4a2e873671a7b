import { UnusableHistory } from '../errors.ts';
import { judgeStream } from './judge-stream.ts';
import type { AppendRecord, CallRecord, HistoryRecord } from './record.ts';
import { Findings, type HistoryRule, type Violation } from './rules.ts';
import { StreamHistory, type VerifyReceipt } from './stream-history.ts';

export interface HistoryReport {
  readonly holds: boolean;
  /** At most a hundred of them; `violationCount` counts all. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** How often each rule was put to the test. */
  readonly checks: Readonly<Record<HistoryRule, number>>;
  readonly counts: Readonly<HistoryCounts>;
}

export interface HistoryCounts {
  streams: number;
  processes: number;
  appendsAcknowledged: number;
  appendsRefused: number;
  appendsUnknown: number;
  heads: number;
  claims: number;
  reads: number;
  eventsAccepted: number;
  eventsRead: number;
  /** Events of appends without an answer, by whether the final reads show them. */
  unknownPresent: number;
  unknownAbsent: number;
}

export interface CheckOptions {
  /** Called with every receipt, where the history has them; without it they are only compared with each other. */
  readonly verifyReceipt?: VerifyReceipt;
}

/**
 * Judges a complete history; a record's line is its place in the input, from 1.
 *
 * @throws UnusableHistory when it can't be judged
 */
export function checkHistory(records: Iterable<HistoryRecord>, options: CheckOptions = {}): HistoryReport {
  const checker = new HistoryChecker(options);
  for (const record of records) checker.add(record);
  return checker.finish();
}

/**
 * Takes a history record by record, so that a file need not fit in memory as text, and judges it at the end. Time
 * and memory are linear in the number of records and events.
 */
export class HistoryChecker {
  private readonly options: CheckOptions;
  private readonly findings = new Findings();
  private readonly streams = new Map<string, StreamHistory>();
  private readonly lastCalls = new Map<string, { readonly completedUs: number; readonly line: number }>();
  private line = 0;
  private readonly counts: HistoryCounts = {
    streams: 0,
    processes: 0,
    appendsAcknowledged: 0,
    appendsRefused: 0,
    appendsUnknown: 0,
    heads: 0,
    claims: 0,
    reads: 0,
    eventsAccepted: 0,
    eventsRead: 0,
    unknownPresent: 0,
    unknownAbsent: 0,
  };

  constructor(options: CheckOptions = {}) {
    this.options = options;
  }

  /** @throws UnusableHistory when a process made two calls at a time */
  add(record: HistoryRecord): void {
    this.line += 1;
    if (record.type === 'history') return;
    this.requireOneCallAtATime(record);
    const stream = this.streamOf(record.stream);
    if (record.type === 'append') {
      this.countAppend(record);
      stream.addAppend(record, this.line);
    } else if (record.type === 'head') {
      this.counts.heads += 1;
      stream.addHead(record, this.line);
    } else if (record.type === 'claim') {
      this.counts.claims += 1;
      stream.addClaim(record, this.line);
    } else {
      this.counts.reads += 1;
      this.counts.eventsRead += record.events.length;
      stream.addRead(record, this.line);
    }
  }

  /** @throws UnusableHistory when it is empty, or a stream's final reading is missing */
  finish(): HistoryReport {
    if (this.line === 0) throw new UnusableHistory('the history is empty');
    for (const stream of this.streams.values()) {
      const unknown = judgeStream(stream, this.findings);
      this.counts.unknownPresent += unknown.present;
      this.counts.unknownAbsent += unknown.absent;
    }
    this.counts.streams = this.streams.size;
    this.counts.processes = this.lastCalls.size;
    return {
      holds: this.findings.violationCount === 0,
      violations: this.findings.violations,
      violationCount: this.findings.violationCount,
      checks: this.findings.checks,
      counts: this.counts,
    };
  }

  private countAppend(record: AppendRecord): void {
    if (record.outcome === 'acknowledged') {
      this.counts.appendsAcknowledged += 1;
      this.counts.eventsAccepted += record.events.filter((event) => event.result === 'accepted').length;
    } else if (record.outcome === 'refused') {
      this.counts.appendsRefused += 1;
    } else {
      this.counts.appendsUnknown += 1;
    }
  }

  private requireOneCallAtATime({ process, invokedUs, completedUs }: CallRecord): void {
    const last = this.lastCalls.get(process);
    if (last !== undefined && invokedUs < last.completedUs) {
      throw new UnusableHistory(
        `line ${this.line}: process ${process} made this call before its call on line ${last.line} had ended; ` +
          'give concurrent calls names of their own',
        { line: this.line },
      );
    }
    this.lastCalls.set(process, { completedUs, line: this.line });
  }

  private streamOf(name: string): StreamHistory {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = new StreamHistory(name, this.findings, this.options.verifyReceipt);
      this.streams.set(name, stream);
    }
    return stream;
  }
}
