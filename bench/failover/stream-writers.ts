import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppendOutcome, SequencerClient, type StoreName } from '../../bin/driver/sequencer-client.ts';

export interface StreamWritersOptions {
  readonly gatewayUrls: readonly string[];
  readonly apiKey: string;
  readonly streams: number;
  /** The pause of each writer between two events. */
  readonly everyMs: number;
}

/** What one client was told that was no acknowledgement. */
export interface Failure {
  readonly atMs: number;
  readonly gatewayUrl: string;
  readonly outcome: Exclude<AppendOutcome, { kind: 'acknowledged' }>;
}

interface Writer {
  readonly store: StoreName;
  /** On the scale of `performance.now`. */
  readonly acknowledged: { readonly sentAtMs: number; readonly atMs: number }[];
}

interface Gateway {
  readonly url: string;
  readonly client: SequencerClient;
  ready: boolean;
}

const agentId = '00000000-0000-4000-8000-0000000000a1';
const lookEveryMs = 100;
const requestTimeoutMs = 35_000;

/**
 * Many clients that append one event after the other, each to a stream of its own, through all gateways that say they
 * are ready, in turn. An event that was not acknowledged is sent again, with its id, to the next gateway.
 */
export class StreamWriters {
  readonly failures: Failure[] = [];
  private readonly options: StreamWritersOptions;
  private readonly writers: readonly Writer[];
  private readonly gateways: readonly Gateway[];
  private running: Promise<unknown> = Promise.resolve();
  private looking: NodeJS.Timeout | null = null;
  private stopped = false;
  private next = 0;

  constructor(options: StreamWritersOptions) {
    this.options = options;
    this.writers = Array.from({ length: options.streams }, () => ({
      store: { tenantId: randomUUID(), storeId: randomUUID() },
      acknowledged: [],
    }));
    this.gateways = options.gatewayUrls.map((url) => ({
      url,
      client: new SequencerClient({
        url,
        apiKey: options.apiKey,
        connectionsMax: options.streams,
        timeoutMs: requestTimeoutMs,
      }),
      ready: true,
    }));
  }

  get acknowledged(): number {
    return this.writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  start(): void {
    this.looking = setInterval(() => this.gateways.forEach((gateway) => void look(gateway)), lookEveryMs);
    this.running = Promise.all(this.writers.map((writer) => this.write(writer)));
  }

  /** Resolves when every writer has its last answer. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    if (this.looking !== null) clearInterval(this.looking);
    for (const { client } of this.gateways) client.close();
  }

  /** Waits until every stream was acknowledged something since. @returns whether that was in time */
  async allAcknowledgedSince(sinceMs: number, timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    while (this.writers.some(({ acknowledged }) => (acknowledged.at(-1)?.atMs ?? 0) < sinceMs)) {
      if (performance.now() > deadlineMs) return false;
      await sleep(10);
    }
    return true;
  }

  /**
   * How long the first event of each of the stores that was not acknowledged at a moment waited since, in milliseconds;
   * Infinity for one that waits still.
   */
  waitsAfter(momentMs: number, storeIds: ReadonlySet<string>): number[] {
    return this.writers
      .filter(({ store }) => storeIds.has(store.storeId))
      .map(({ acknowledged }) => {
        const first = acknowledged.find(({ atMs }) => atMs > momentMs + answersUnderWayMs);
        return first === undefined ? Infinity : first.atMs - Math.max(momentMs, first.sentAtMs);
      });
  }

  private async write({ store, acknowledged }: Writer): Promise<void> {
    await sleep(Math.random() * this.options.everyMs);
    for (let number = 0; !this.stopped; number++) {
      const event = {
        eventId: randomUUID(),
        entityType: 'order',
        entityId: `ORD-${number}`,
        eventType: 'order.created',
        payload: `{"number":${number},"note":"one of a failover run"}`,
        createdAt: '2026-01-01T00:00:00Z',
      };
      const sentAtMs = performance.now();
      for (;;) {
        const gateway = this.nextGateway();
        const outcome = await gateway.client.append(store, agentId, [event]);
        if (outcome.kind === 'acknowledged') break;
        this.failures.push({ atMs: performance.now(), gatewayUrl: gateway.url, outcome });
        if (this.stopped) return;
        await sleep(50);
      }
      acknowledged.push({ sentAtMs, atMs: performance.now() });
      await sleep(this.options.everyMs);
    }
  }

  private nextGateway(): Gateway {
    const ready = this.gateways.filter((gateway) => gateway.ready);
    const candidates = ready.length > 0 ? ready : this.gateways;
    return candidates[this.next++ % candidates.length]!;
  }
}

/** An answer that comes so soon may have been on its way before the moment. */
const answersUnderWayMs = 20;

async function look(gateway: Gateway): Promise<void> {
  try {
    const answer = await fetch(`${gateway.url}/ready`, { signal: AbortSignal.timeout(1_000) });
    await answer.arrayBuffer();
    gateway.ready = answer.status === 200;
  } catch (error) {
    // One that did not answer in time says nothing: this process, too, is short of processor time now and then.
    if ((error as Error).name !== 'TimeoutError') gateway.ready = false;
  }
}
