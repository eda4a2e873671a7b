import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, type Histogram } from 'hdr-histogram-js';
import { HistoryChecker, type HistoryReport } from '../../domain/history/check-history.ts';
import { RecordedClient } from '../driver/recorded-client.ts';
import type { AppendOutcome, ClientEvent, SequencerClient, StoreName } from '../driver/sequencer-client.ts';
import { type Delivery, eventOf } from './deliveries.ts';

export interface ReplayPlan {
  readonly client: SequencerClient;
  readonly deliveries: readonly Delivery[];
  readonly eventCount: number;
  readonly storeCount: number;
  /** Called with how many events were appended, then with how many were read back. */
  readonly onAppended: (count: number) => void;
  readonly onRead: (count: number) => void;
}

export interface ReplayResult {
  readonly appendSecs: number;
  readonly readSecs: number;
  readonly payloadBytes: number;
  /** Microseconds of each acknowledged request. */
  readonly latencyUs: Histogram;
  readonly pushbacks: number;
  readonly hashesChecked: number;
  readonly hashesWrong: number;
  readonly report: HistoryReport;
}

const batchEvents = 50;
const writersPerStore = 2;
const tries = 20;

/**
 * Appends events of new stores, two writers a store, reads every stream back, and judges all of it.
 *
 * @throws Error when a request is refused for good
 */
export async function replay(plan: ReplayPlan): Promise<ReplayResult> {
  const run = new Replay(plan);
  const startMs = performance.now();
  await run.appendAll();
  const appendedMs = performance.now();
  await run.readAll();
  const readMs = performance.now();
  return run.result((appendedMs - startMs) / 1_000, (readMs - appendedMs) / 1_000);
}

class Replay {
  private readonly plan: ReplayPlan;
  private readonly checker = new HistoryChecker();
  private readonly latencyUs = build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 3 });
  private readonly hashes = new Map<string, string>();
  private readonly stores: readonly StoreName[];
  private readonly agentId = randomUUID();
  private next = 0;
  private payloadBytes = 0;
  private pushbacks = 0;
  private hashesChecked = 0;
  private hashesWrong = 0;

  constructor(plan: ReplayPlan) {
    this.plan = plan;
    const tenantId = randomUUID();
    this.stores = Array.from({ length: plan.storeCount }, () => ({ tenantId, storeId: randomUUID() }));
  }

  async appendAll(): Promise<void> {
    const writers = this.stores.flatMap((store, index) =>
      Array.from({ length: writersPerStore }, (_, writer) => this.write(store, `writer-${index}-${writer}`)),
    );
    await Promise.all(writers);
  }

  async readAll(): Promise<void> {
    for (const [index, store] of this.stores.entries()) {
      const reader = this.recorded(`reader-${index}`);
      const limit = 200;
      for (let from = 1; ; from += limit) {
        const events = await reader.readPage(store, { from, limit, final: true });
        for (const { eventId, payloadHash } of events) {
          this.hashesChecked += 1;
          if (this.hashes.get(eventId) !== payloadHash) this.hashesWrong += 1;
        }
        this.plan.onRead(events.length);
        if (events.length < limit) break;
      }
    }
  }

  result(appendSecs: number, readSecs: number): ReplayResult {
    const { payloadBytes, latencyUs, pushbacks, hashesChecked, hashesWrong } = this;
    const counts = { payloadBytes, latencyUs, pushbacks, hashesChecked, hashesWrong };
    return { appendSecs, readSecs, ...counts, report: this.checker.finish() };
  }

  private async write(store: StoreName, name: string): Promise<void> {
    const writer = this.recorded(name);
    for (let events = this.take(); events.length > 0; events = this.take()) {
      await this.appendUntilAnswered(writer, store, events);
      this.plan.onAppended(events.length);
    }
  }

  /** The next deliveries of the replay; the writers share one queue, so a slow store delays no other. */
  private take(): ClientEvent[] {
    const { deliveries, eventCount } = this.plan;
    const events: ClientEvent[] = [];
    for (; events.length < batchEvents && this.next < eventCount; this.next += 1) {
      const delivery = deliveries[this.next % deliveries.length];
      if (delivery === undefined) break;
      const event = eventOf(delivery);
      events.push(event);
      this.hashes.set(event.eventId, delivery.payloadHash);
      this.payloadBytes += Buffer.byteLength(delivery.payload);
    }
    return events;
  }

  private async appendUntilAnswered(
    writer: RecordedClient,
    store: StoreName,
    events: readonly ClientEvent[],
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const startMs = performance.now();
      const outcome = await writer.append(store, this.agentId, events);
      if (outcome.kind === 'acknowledged') {
        this.latencyUs.recordValue(Math.round((performance.now() - startMs) * 1_000));
        if (attempt === 1 && outcome.answer.events_accepted !== events.length) {
          throw new Error(`events were rejected: ${JSON.stringify(outcome.answer.rejections)}`);
        }
        return;
      }
      if (attempt === tries || isFinal(outcome)) throw new Error(describe(outcome));
      this.pushbacks += 1;
      const pauseSecs = outcome.kind === 'refused' ? outcome.retryAfterSecs : 0;
      await sleep(Math.max(pauseSecs * 1_000, 100));
    }
  }

  private recorded(name: string): RecordedClient {
    return new RecordedClient(this.plan.client, name, { write: (record) => this.checker.add(record) });
  }
}

function isFinal(outcome: AppendOutcome): boolean {
  return outcome.kind === 'refused' && outcome.status !== null && outcome.status !== 503;
}

function describe(outcome: AppendOutcome): string {
  if (outcome.kind === 'unknown') return `a request got no answer: ${outcome.cause}`;
  return outcome.kind === 'refused' ? `a request was refused with status ${outcome.status}` : 'no error';
}
