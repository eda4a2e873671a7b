import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HistoryFile, RecordedClient } from '../../bin/driver/recorded-client.ts';
import {
  type AppendOutcome,
  type ClientEvent,
  SequencerClient,
  type StoreName,
} from '../../bin/driver/sequencer-client.ts';
import { adminKey } from './node-process.ts';

export interface LoadOptions {
  readonly url: string;
  /** That of test nodes unless given. */
  readonly apiKey?: string;
  /** Where the history is written. */
  readonly folder: string;
  readonly stores: number;
  readonly writersPerStore: number;
  readonly eventsPerRequestMax: number;
  /** A request without an answer for this long counts as one whose outcome is unknown. */
  readonly timeoutMs: number;
}

/** Answers of all writers since the start, for assertions about what clients saw. */
export interface LoadCounts {
  acknowledged: number;
  refused: number;
  unknown: number;
  /** The longest that a request took, in milliseconds. */
  longestMs: number;
  /** When the last acknowledgement came, in milliseconds of `performance.now()`. */
  lastAcknowledgedMs: number;
}

const retryPauseMs = 25;
/** How long a writer may take to learn what became of its last events, once the node is there again. */
const settleTimeoutMs = 30_000;

export function newEvent(payload?: string): ClientEvent {
  const eventId = randomUUID();
  return {
    eventId,
    entityType: 'order',
    entityId: `order-${eventId.slice(0, 2)}`,
    eventType: 'order.updated',
    payload: payload ?? `{"note":"${randomUUID()}","total":${Math.floor(Math.random() * 1_000)}.50}`,
    createdAt: new Date().toISOString(),
  };
}

export function newStore(): StoreName {
  return { tenantId: randomUUID(), storeId: randomUUID() };
}

/**
 * Writers and readers that use a node as clients do, sending again what was not acknowledged, and write down all they
 * see. The node may come and go at its address meanwhile.
 */
export class Load {
  readonly counts: LoadCounts = {
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    longestMs: 0,
    lastAcknowledgedMs: 0,
  };
  readonly history: HistoryFile;
  private readonly client: SequencerClient;
  private readonly options: LoadOptions;
  private readonly stores: readonly StoreName[];
  private readonly loops: readonly Promise<void>[];
  private stopping = false;
  private settleByMs = Infinity;

  constructor(options: LoadOptions) {
    this.options = options;
    const { url, apiKey = adminKey, timeoutMs, writersPerStore } = options;
    this.client = new SequencerClient({ url, apiKey, connectionsMax: 200, timeoutMs });
    this.history = new HistoryFile(join(options.folder, `history-${randomUUID()}.jsonl`));
    this.stores = Array.from({ length: options.stores }, newStore);
    this.loops = this.stores.flatMap((store, index) => [
      ...Array.from({ length: writersPerStore }, (_, writer) => this.write(store, `w${index}.${writer}`)),
      this.read(store, `r${index}`),
    ]);
    // A loop that fails is reported by finish(), not as an unhandled rejection before.
    for (const loop of this.loops) loop.catch(() => undefined);
  }

  /**
   * Lets each writer settle what it has sent, reads every stream to its end, and closes the history.
   *
   * @returns how many events the streams hold
   * @throws Error when a writer's events can't be settled
   */
  async finish(): Promise<number> {
    this.stopping = true;
    this.settleByMs = performance.now() + settleTimeoutMs;
    await Promise.all(this.loops);
    let events = 0;
    for (const store of this.stores) events += await this.recorded('final').readToEnd(store);
    await this.history.close();
    this.client.close();
    return events;
  }

  /** Ends without a final reading, after a failure. */
  async abandon(): Promise<void> {
    this.stopping = true;
    this.settleByMs = 0;
    this.client.close();
    await Promise.allSettled(this.loops);
    await this.history.close();
  }

  private async write(store: StoreName, name: string): Promise<void> {
    const writer = this.recorded(name);
    const agentId = randomUUID();
    while (!this.stopping) {
      const count = 1 + Math.floor(Math.random() * this.options.eventsPerRequestMax);
      const events = Array.from({ length: count }, () => newEvent());
      // Until it is settled, also when stopping: what became of every event is then known.
      while (!(await this.tryAppend(writer, store, agentId, events))) await sleep(retryPauseMs);
    }
  }

  private async tryAppend(
    writer: RecordedClient,
    store: StoreName,
    agentId: string,
    events: readonly ClientEvent[],
  ): Promise<boolean> {
    const startMs = performance.now();
    const outcome = await writer.append(store, agentId, events);
    const endMs = performance.now();
    this.counts[outcome.kind] += 1;
    this.counts.longestMs = Math.max(this.counts.longestMs, endMs - startMs);
    if (outcome.kind === 'acknowledged') this.counts.lastAcknowledgedMs = endMs;
    if (outcome.kind === 'acknowledged') return true;
    if (isRefusedForGood(outcome) || endMs > this.settleByMs) {
      throw new Error(`an append is not acknowledged: ${JSON.stringify(outcome)}`);
    }
    return false;
  }

  private async read(store: StoreName, name: string): Promise<void> {
    const reader = this.recorded(name);
    while (!this.stopping) {
      try {
        const head = await reader.head(store);
        await reader.readPage(store, { from: Math.max(1, head - 20), limit: 50 });
      } catch {
        // The node is away: what was not answered is not part of the history.
      }
      await sleep(retryPauseMs);
    }
  }

  private recorded(name: string): RecordedClient {
    return new RecordedClient(this.client, name, this.history);
  }
}

function isRefusedForGood(outcome: AppendOutcome): boolean {
  return outcome.kind === 'refused' && outcome.status !== null && outcome.status !== 503;
}
