import { UnusableHistory } from '../errors.ts';
import type { Findings, HistoryRule } from './rules.ts';
import type { EventHistory, StreamHistory } from './stream-history.ts';

/** What became of the events whose calls ended without an answer. */
export interface UnknownOutcomes {
  present: number;
  absent: number;
}

/**
 * Judges what shows only when all records of a stream are known. Linear in the number of records: times are never
 * sorted, since along the sequences a running maximum and minimum of them answer every question about order.
 *
 * @throws UnusableHistory when a stream with appends has no complete final reading after them
 */
export function judgeStream(stream: StreamHistory, findings: Findings): UnknownOutcomes {
  const judge = new Judge(stream, findings);
  judge.requireFinalReading();
  judge.checkContiguous();
  judge.checkOrder();
  judge.checkEpochs();
  judge.checkClaims();
  return judge.checkEvents();
}

interface EpochAt {
  readonly epoch: number;
  readonly line: number;
}

class Judge {
  private readonly stream: StreamHistory;
  private readonly findings: Findings;
  /** The final reads show every sequence from 1 to here. */
  private readonly readTo: number;

  constructor(stream: StreamHistory, findings: Findings) {
    this.stream = stream;
    this.findings = findings;
    let readTo = 0;
    while (stream.log.get(readTo + 1)?.final === true) readTo += 1;
    this.readTo = readTo;
  }

  requireFinalReading(): void {
    const { stream } = this;
    if (!hasAppends(stream)) return;
    if (stream.end === null) {
      throw new UnusableHistory(
        `stream ${stream.name} has appends and no final reading that reaches its end (a final head, or a final ` +
          'page with fewer events than its limit), so nothing can be said about what is present',
        { stream: stream.name },
      );
    }
    if (stream.lastAppend !== null && stream.lastAppend.completedUs >= stream.end.invokedUs) {
      throw new UnusableHistory(
        `the final reading of stream ${stream.name} (line ${stream.end.line}) began before its last append ended ` +
          `(line ${stream.lastAppend.line})`,
        { stream: stream.name, line: stream.end.line },
      );
    }
  }

  checkContiguous(): void {
    const { stream, readTo } = this;
    if (stream.end === null) return;
    this.findings.checked('contiguous');
    if (readTo < stream.end.head) {
      const next = stream.log.get(readTo + 1);
      const lines = next === undefined ? [stream.end.line] : [next.line, stream.end.line];
      const message = `the final reads lack sequence ${readTo + 1}, and the head is ${stream.end.head}`;
      this.violated('contiguous', lines, message);
    } else if (readTo > stream.end.head) {
      const line = stream.log.get(readTo)?.line ?? stream.end.line;
      const message = `a final read shows sequence ${readTo}, and the final head is ${stream.end.head}`;
      this.violated('contiguous', [line, stream.end.line], message);
    }
    for (const [sequence, entry] of stream.log) {
      if (entry.final || sequence <= readTo) continue;
      const message = `sequence ${sequence} was read, and is missing from the final reads`;
      this.violated('reads-agree', [entry.line, stream.end.line], message);
    }
  }

  /** Order in time against order in the stream, for every answer that showed something of the head. */
  checkOrder(): void {
    const { invokedUs, invokedLine } = this.latestInvocations();
    const { confirmedUs, confirmedLine } = this.earliestConfirmations();
    for (const { line, lowest, highest, ...call } of this.stream.observations) {
      const shown = Math.min(lowest, this.readTo);
      if (shown > 0) {
        this.findings.checked('real-time-order');
        if ((invokedUs[shown] ?? 0) > call.completedUs) {
          const message = `an append was invoked after an answer that showed sequence ${lowest}, and lies below it`;
          this.violated('real-time-order', [line, invokedLine[shown] ?? 0], message);
        }
      }
      if (highest === null) continue;
      this.findings.checked('head-covers-acknowledged');
      const above = Math.min(highest, this.readTo) + 1;
      if ((confirmedUs[above] ?? Infinity) < call.invokedUs) {
        const message = `the head was ${highest}, and a higher sequence had been confirmed before`;
        this.violated('head-covers-acknowledged', [confirmedLine[above] ?? 0, line], message);
      }
    }
  }

  checkEpochs(): void {
    let highest = { epoch: 0, line: 0 };
    for (let sequence = 1; sequence <= this.readTo; sequence += 1) {
      const here = this.stream.epochs.get(sequence);
      if (here === undefined) continue;
      this.findings.checked('epochs-never-fall');
      if (here.epoch < highest.epoch) {
        const message = `sequence ${sequence} has epoch ${here.epoch} after epoch ${highest.epoch}`;
        this.violated('epochs-never-fall', [highest.line, here.line], message);
      } else {
        highest = here;
      }
    }
  }

  /** A claim is told the head at the instant from which no older owner can append. */
  checkClaims(): void {
    const claimedIn = new Map<number, number>();
    const { highestTo, lowestFrom } = this.epochBounds();
    for (const { epoch, head, line } of this.stream.claims) {
      this.findings.checked('epochs-never-fall');
      const other = claimedIn.get(epoch);
      if (other !== undefined) {
        this.violated('epochs-never-fall', [other, line], `two claims got epoch ${epoch}`);
      }
      claimedIn.set(epoch, line);
      const below = highestTo[Math.min(head, this.readTo)];
      if (below !== undefined && below.epoch >= epoch) {
        const message = `a claim of epoch ${epoch} found head ${head}, and epoch ${below.epoch} had appended already`;
        this.violated('epochs-never-fall', [line, below.line], message);
      }
      const above = lowestFrom[Math.min(head, this.readTo) + 1];
      if (above !== undefined && above.epoch < epoch) {
        const message = `a claim of epoch ${epoch} found head ${head}, and epoch ${above.epoch} appended after it`;
        this.violated('epochs-never-fall', [line, above.line], message);
      }
    }
  }

  checkEvents(): UnknownOutcomes {
    const outcomes: UnknownOutcomes = { present: 0, absent: 0 };
    if (!hasAppends(this.stream)) return outcomes;
    for (const [id, event] of this.stream.events) {
      if (event.confirmed !== null) this.checkConfirmed(id, event);
      this.checkOrigin(id, event);
      if (event.attempts.length > 0) outcomes[event.readAt === null ? 'absent' : 'present'] += 1;
    }
    return outcomes;
  }

  private checkConfirmed(id: string, event: EventHistory): void {
    const { confirmed, accepted } = event;
    if (confirmed === null || this.stream.end === null) return;
    this.findings.checked('acknowledged-present');
    const { sequence, line } = confirmed;
    const entry = this.stream.log.get(sequence);
    if (entry?.final !== true) {
      const message = `event ${id} was acknowledged at sequence ${sequence}, which the final reads do not show`;
      this.violated('acknowledged-present', [line, this.stream.end.line], message);
    } else if (entry.id !== id) {
      const message = `event ${id} was acknowledged at sequence ${sequence}, where event ${entry.id} is`;
      this.violated('acknowledged-present', [line, entry.line], message);
    } else if (accepted !== null && entry.payload !== accepted.payload) {
      const message = `event ${id} was acknowledged with another payload than it is read with`;
      this.violated('acknowledged-present', [accepted.line, entry.line], message);
    }
  }

  /** An event that is there was put there by a call that said so, or by one that never said what it did. */
  private checkOrigin(id: string, event: EventHistory): void {
    if (event.readAt === null) {
      if (event.refusedLine !== null) this.findings.checked('refused-absent');
      return;
    }
    this.findings.checked('nothing-invented');
    if (event.accepted !== null) return;
    const entry = this.stream.log.get(event.readAt);
    const readLine = entry?.line ?? 0;
    const attempt = event.attempts[0];
    if (attempt !== undefined) {
      if (event.attempts.some(({ payload }) => payload === entry?.payload)) return;
      const message = `event ${id} is read with a payload that no call sent`;
      this.violated('nothing-invented', [attempt.line, readLine], message);
    } else if (event.refusedLine !== null && event.confirmed === null) {
      const message = `event ${id} was refused, and is stored at sequence ${event.readAt}`;
      this.violated('refused-absent', [event.refusedLine, readLine], message);
    } else {
      const lines = event.confirmed === null ? [readLine] : [event.confirmed.line, readLine];
      this.violated('nothing-invented', lines, `event ${id} is stored, and no call can have stored it`);
    }
  }

  /** By sequence: the latest time at which an append at or below it was invoked, and the line of that append. */
  private latestInvocations(): { invokedUs: Float64Array; invokedLine: Float64Array } {
    const invokedUs = new Float64Array(this.readTo + 1);
    const invokedLine = new Float64Array(this.readTo + 1);
    for (let sequence = 1; sequence <= this.readTo; sequence += 1) {
      const invocation = this.invocationOf(sequence);
      const before = invokedUs[sequence - 1] ?? 0;
      const isLater = invocation !== null && invocation.invokedUs > before;
      invokedUs[sequence] = isLater ? invocation.invokedUs : before;
      invokedLine[sequence] = isLater ? invocation.line : (invokedLine[sequence - 1] ?? 0);
    }
    return { invokedUs, invokedLine };
  }

  /** The call that stored a sequence; of several that may have, the first, since none of them stored it earlier. */
  private invocationOf(sequence: number): { invokedUs: number; line: number } | null {
    const event = this.eventAt(sequence);
    if (event === undefined) return null;
    let first: { invokedUs: number; line: number } | null = event.accepted;
    if (first !== null) return first;
    for (const attempt of event.attempts) {
      if (first === null || attempt.invokedUs < first.invokedUs) first = attempt;
    }
    return first;
  }

  /** By sequence: the earliest time at which an answer confirmed an event at or above it, and that answer's line. */
  private earliestConfirmations(): { confirmedUs: Float64Array; confirmedLine: Float64Array } {
    const confirmedUs = new Float64Array(this.readTo + 2).fill(Infinity);
    const confirmedLine = new Float64Array(this.readTo + 2);
    for (let sequence = this.readTo; sequence >= 1; sequence -= 1) {
      const confirmed = this.eventAt(sequence)?.confirmed ?? null;
      const after = confirmedUs[sequence + 1] ?? Infinity;
      const isEarlier = confirmed?.sequence === sequence && confirmed.completedUs < after;
      confirmedUs[sequence] = isEarlier ? confirmed.completedUs : after;
      confirmedLine[sequence] = isEarlier ? confirmed.line : (confirmedLine[sequence + 1] ?? 0);
    }
    return { confirmedUs, confirmedLine };
  }

  /** By sequence: the highest epoch at or below it, and the lowest at or above it, where any is known. */
  private epochBounds(): { highestTo: (EpochAt | undefined)[]; lowestFrom: (EpochAt | undefined)[] } {
    const { epochs } = this.stream;
    const highestTo = new Array<EpochAt | undefined>(this.readTo + 1);
    const lowestFrom = new Array<EpochAt | undefined>(this.readTo + 2);
    if (this.stream.claims.length === 0) return { highestTo, lowestFrom };
    for (let sequence = 1; sequence <= this.readTo; sequence += 1) {
      const [before, here] = [highestTo[sequence - 1], epochs.get(sequence)];
      highestTo[sequence] = here === undefined || (before?.epoch ?? 0) > here.epoch ? before : here;
    }
    for (let sequence = this.readTo; sequence >= 1; sequence -= 1) {
      const [after, here] = [lowestFrom[sequence + 1], epochs.get(sequence)];
      lowestFrom[sequence] = here === undefined || (after?.epoch ?? Infinity) < here.epoch ? after : here;
    }
    return { highestTo, lowestFrom };
  }

  private eventAt(sequence: number): EventHistory | undefined {
    const entry = this.stream.log.get(sequence);
    return entry === undefined ? undefined : this.stream.events.get(entry.id);
  }

  private violated(rule: HistoryRule, lines: readonly number[], message: string): void {
    this.findings.violated({ rule, stream: this.stream.name, lines, message });
  }
}

function hasAppends(stream: StreamHistory): boolean {
  for (const event of stream.events.values()) {
    if (event.confirmed !== null || event.attempts.length > 0 || event.refusedLine !== null) return true;
  }
  return false;
}
