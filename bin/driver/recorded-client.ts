import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import {
  type AnsweredEvent,
  type HistoryRecord,
  historyVersion,
  type ReadRecord,
} from '../../domain/history/record.ts';
import type {
  AppendOutcome,
  ClientEvent,
  IngestAnswer,
  ReadBack,
  SequencerClient,
  SignedIngestAnswer,
  StoreName,
  StreamName,
} from './sequencer-client.ts';
import type { SigningAgent } from './signing-agent.ts';

/** Where records go: a file, or a checker. */
export interface HistorySink {
  write(record: HistoryRecord): void;
}

/** A file of the format in docs/history-format.md. Records are written in the order given. */
export class HistoryFile implements HistorySink {
  readonly path: string;
  private readonly stream: WriteStream;
  private readonly closed: Promise<unknown>;

  constructor(path: string) {
    this.path = path;
    this.stream = createWriteStream(path);
    this.closed = once(this.stream, 'close');
    this.write({ type: 'history', version: historyVersion });
  }

  write(record: HistoryRecord): void {
    this.stream.write(`${JSON.stringify(record)}\n`);
  }

  /** All records are in the file on return. May be called again. */
  async close(): Promise<void> {
    this.stream.end();
    await this.closed;
  }
}

/** One process of a history: makes one call at a time and records each with what came back. */
export class RecordedClient {
  private readonly client: SequencerClient;
  private readonly process: string;
  private readonly history: HistorySink;

  constructor(client: SequencerClient, process: string, history: HistorySink) {
    this.client = client;
    this.process = process;
    this.history = history;
  }

  async append(store: StoreName, agentId: string, events: readonly ClientEvent[]): Promise<AppendOutcome> {
    const invokedUs = monotonicUs();
    const outcome = await this.client.append(store, agentId, events);
    this.noteAppend(store, invokedUs, events, outcome, (answer) => ({
      events: answeredEvents(events, answer),
      head: answer.head_sequence,
    }));
    return outcome;
  }

  /** The same for events that the agent signs. */
  async appendSigned(
    store: StoreName,
    agent: SigningAgent,
    events: readonly ClientEvent[],
  ): Promise<AppendOutcome<SignedIngestAnswer>> {
    const signed = await Promise.all(events.map((event) => agent.sign(store, event)));
    const invokedUs = monotonicUs();
    const outcome = await this.client.appendSigned(agent.agentId, signed);
    this.noteAppend({ ...store, world: 'ves' }, invokedUs, events, outcome, (answer) => ({
      events: answeredSignedEvents(events, answer),
      head: answer.headSequence,
    }));
    return outcome;
  }

  /** @throws Error when the answer is not 200; then nothing is recorded */
  async head(stream: StreamName): Promise<number> {
    const invokedUs = monotonicUs();
    const head = await this.client.head(stream);
    this.history.write({ type: 'head', ...this.callOf(stream, invokedUs), head });
    return head;
  }

  /** @throws Error when the answer is not 200; then nothing is recorded */
  async readPage(
    stream: StreamName,
    page: { readonly from: number; readonly limit: number; readonly final?: boolean },
  ): Promise<ReadBack[]> {
    const invokedUs = monotonicUs();
    const events = await this.client.readPage(stream, page.from, page.limit);
    const record: ReadRecord = {
      type: 'read',
      ...this.callOf(stream, invokedUs),
      ...page,
      events: events.map(({ sequence, eventId, payload }) => ({
        sequence,
        id: eventId,
        payload: digest(payload),
      })),
    };
    this.history.write(record);
    return events;
  }

  /** Reads the whole stream as the final reading of the history. @returns how many events there are */
  async readToEnd(stream: StreamName): Promise<number> {
    const limit = 1_000;
    for (let from = 1; ; from += limit) {
      const events = await this.readPage(stream, { from, limit, final: true });
      if (events.length < limit) return from - 1 + events.length;
    }
  }

  private noteAppend<Answer>(
    stream: StreamName,
    invokedUs: number,
    events: readonly ClientEvent[],
    outcome: AppendOutcome<Answer>,
    read: (answer: Answer) => { events: AnsweredEvent[]; head: number },
  ): void {
    const call = { type: 'append', ...this.callOf(stream, invokedUs) } as const;
    this.history.write(
      outcome.kind === 'acknowledged'
        ? { ...call, outcome: 'acknowledged', ...read(outcome.answer) }
        : { ...call, outcome: outcome.kind, events: events.map(sentEvent) },
    );
  }

  private callOf(
    { tenantId, storeId, world = 'legacy' }: StreamName,
    invokedUs: number,
  ): { process: string; invokedUs: number; completedUs: number; stream: string } {
    const stream = `${tenantId}/${storeId}/${world}`;
    return { process: this.process, invokedUs, completedUs: monotonicUs(), stream };
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function digest(payload: string): string {
  return createHash('sha256').update(payload).digest('hex');
}

function sentEvent({ eventId, payload }: ClientEvent): { id: string; payload: string } {
  return { id: eventId, payload: digest(payload) };
}

/**
 * What the answer says of each event sent. An id that was sent twice in one request is accepted at most once, so the
 * receipt goes to the first.
 *
 * @throws Error when the answer contradicts itself or leaves an event out
 */
export function answeredEvents(sent: readonly ClientEvent[], answer: IngestAnswer): AnsweredEvent[] {
  const receipts = new Map(
    (answer.receipts ?? []).map((receipt) => [receipt.event_id, receipt.sequence_number]),
  );
  const rejections = new Map((answer.rejections ?? []).map((rejection) => [rejection.event_id, rejection]));
  const events = sent.map((event): AnsweredEvent => {
    const sequence = receipts.get(event.eventId);
    if (sequence !== undefined && receipts.delete(event.eventId)) {
      return { ...sentEvent(event), result: 'accepted', sequence };
    }
    const rejection = rejections.get(event.eventId);
    if (rejection === undefined) throw contradiction(`event ${event.eventId} is missing`, answer);
    return rejection.reason === 'DuplicateEventId' && rejection.sequence_number !== undefined
      ? { ...sentEvent(event), result: 'stored', sequence: rejection.sequence_number }
      : { ...sentEvent(event), result: 'refused' };
  });
  const sequences = events.flatMap((event) => (event.result === 'accepted' ? [event.sequence] : []));
  const agrees =
    receipts.size === 0 &&
    answer.events_accepted === sequences.length &&
    answer.events_rejected === sent.length - sequences.length &&
    answer.assigned_sequence_start === (sequences[0] ?? null) &&
    answer.assigned_sequence_end === (sequences.at(-1) ?? null);
  if (!agrees) throw contradiction('its counts and receipts differ', answer);
  return events;
}

/**
 * The same of signed events. An event that was stored before is neither accepted nor rejected: it has a receipt with a
 * sequence outside the range of this request.
 *
 * @throws Error when the answer contradicts itself
 */
export function answeredSignedEvents(
  sent: readonly ClientEvent[],
  answer: SignedIngestAnswer,
): AnsweredEvent[] {
  const receipts = new Map((answer.receipts ?? []).map((receipt) => [receipt.eventId, receipt]));
  const { sequenceStart: start, sequenceEnd: end } = answer;
  const events = sent.map((event): AnsweredEvent => {
    const receipt = receipts.get(event.eventId);
    if (receipt === undefined) return { ...sentEvent(event), result: 'refused' };
    const { sequenceNumber: sequence } = receipt;
    const isNew = start !== null && end !== null && sequence >= start && sequence <= end;
    return {
      ...sentEvent(event),
      result: isNew ? 'accepted' : 'stored',
      sequence,
      receipt: JSON.stringify(receipt),
    };
  });
  const countOf = (result: AnsweredEvent['result']): number =>
    events.filter((event) => event.result === result).length;
  const agrees =
    answer.eventsAccepted === countOf('accepted') && answer.eventsRejected === countOf('refused');
  if (!agrees) throw contradiction('its counts and receipts differ', answer);
  return events;
}

function contradiction(what: string, answer: object): Error {
  return new Error(`the answer contradicts itself, ${what}: ${JSON.stringify(answer)}`);
}
