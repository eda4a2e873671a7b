import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicKeys } from '../../domain/verify/verify.ts';
import { type HistorySink, RecordedClient } from '../driver/recorded-client.ts';
import {
  type AppendOutcome,
  type ClientEvent,
  SequencerClient,
  type StoreName,
  type StreamName,
} from '../driver/sequencer-client.ts';
import { SigningAgent } from '../driver/signing-agent.ts';
import type { Tally } from './tally.ts';

export interface TrafficOptions {
  /** Addresses of the nodes that clients use. */
  readonly gateways: readonly string[];
  readonly apiKey: string;
  readonly stores: number;
  readonly history: HistorySink;
  readonly tally: Tally;
  readonly random: () => number;
}

/** How many clients use each store, and in which world. */
const writersPerStore = ['legacy', 'legacy', 'ves'] as const;
const eventsMax = 5;
/** Between two requests of one writer: chaos wants many moments to hit, not the most load. */
const paceMs = [20, 60] as const;
const retryPauseMs = 50;
const requestTimeoutMs = 10_000;
const settleMs = 90_000;

/**
 * Clients of all gateways and both worlds. Each makes one call at a time and does as the documentation asks: what was
 * not acknowledged is sent again, with the same event ids, to the next gateway.
 */
export class Traffic {
  readonly stores: readonly StoreName[];
  private readonly options: TrafficOptions;
  private readonly clients: readonly SequencerClient[];
  private readonly signers: readonly SigningAgent[];
  private loops: Promise<void>[] = [];
  private isStopping = false;
  private settleByMs = Infinity;

  constructor(options: TrafficOptions) {
    this.options = options;
    const tenantId = randomUUID();
    this.stores = Array.from({ length: options.stores }, () => ({ tenantId, storeId: randomUUID() }));
    this.signers = this.stores.map(() => new SigningAgent());
    const { apiKey } = options;
    this.clients = options.gateways.map(
      (url) => new SequencerClient({ url, apiKey, connectionsMax: 100, timeoutMs: requestTimeoutMs }),
    );
  }

  /** @throws Error when the agents' keys can't be registered */
  async start(): Promise<void> {
    for (const [index, { tenantId }] of this.stores.entries()) {
      const body = this.signers[index]!.registration(tenantId);
      const answer = await this.clients[0]!.send('POST', '/api/v1/agents/keys', body);
      if (answer.status !== 200 && answer.status !== 201) {
        throw new Error(`a key was not registered: ${answer.status} ${answer.body}`);
      }
    }
    this.loops = this.stores.flatMap((store, index) => [
      ...writersPerStore.map((world, writer) => this.write(index, world, index + writer)),
      this.read(store, `reader-${index}`, index),
    ]);
    // A loop that fails is reported by settle(), not as an unhandled rejection before.
    for (const loop of this.loops) loop.catch(() => undefined);
  }

  /**
   * Lets each writer learn what became of its last events, and ends.
   * @throws Error when that can't be learned, or a request was refused for good
   */
  async settle(): Promise<void> {
    this.isStopping = true;
    this.settleByMs = performance.now() + settleMs;
    await Promise.all(this.loops);
  }

  /** Reads every stream from its beginning to its end, and closes the connections. */
  async readAll(): Promise<void> {
    for (const [index, store] of this.stores.entries()) {
      for (const world of ['legacy', 'ves'] as const) {
        await this.recorded(`final-${index}-${world}`, index).readToEnd({ ...store, world });
      }
    }
  }

  /** The keys with which the receipts of this cluster are signed. */
  async sequencerKeys(): Promise<PublicKeys> {
    return this.clients[0]!.sequencerKeys();
  }

  /** Ends every client, also after a failure; nothing more is recorded afterwards. */
  async close(): Promise<void> {
    this.isStopping = true;
    this.settleByMs = 0;
    for (const client of this.clients) client.close();
    await Promise.allSettled(this.loops);
  }

  private async write(index: number, world: 'legacy' | 'ves', firstGateway: number): Promise<void> {
    const { tally, random } = this.options;
    const store = this.stores[index]!;
    const name = `writer-${index}-${world}-${firstGateway}`;
    const stream = `${store.storeId}/${world}`;
    let gateway = firstGateway;
    while (!this.isStopping) {
      const events = Array.from({ length: 1 + Math.floor(random() * eventsMax) }, () => newEvent(random));
      for (;;) {
        const writer = this.recorded(name, gateway);
        const outcome =
          world === 'ves'
            ? await writer.appendSigned(store, this.signers[index]!, events)
            : await writer.append(store, randomUUID(), events);
        if (outcome.kind === 'acknowledged') break;
        this.noteFailure(outcome);
        gateway += 1;
        await sleep(pauseAfter(outcome));
      }
      tally.acknowledged(stream, events.length);
      await sleep(paceMs[0] + random() * (paceMs[1] - paceMs[0]));
    }
  }

  private noteFailure(outcome: AppendOutcome<unknown>): void {
    const { tally } = this.options;
    if (outcome.kind === 'unknown') tally.failed('unknown');
    else if (outcome.kind === 'refused' && outcome.status === null) tally.failed('unreached');
    else if (outcome.kind === 'refused' && outcome.status === 503) tally.failed('pushbacks');
    else throw new Error(`an append was refused for good: ${JSON.stringify(outcome)}`);
    if (performance.now() > this.settleByMs) {
      throw new Error(`what became of an append could not be learned: ${JSON.stringify(outcome)}`);
    }
  }

  private async read(store: StoreName, name: string, firstGateway: number): Promise<void> {
    let gateway = firstGateway;
    for (let round = 0; !this.isStopping; round += 1) {
      const reader = this.recorded(name, gateway);
      const stream: StreamName = { ...store, world: round % 2 === 0 ? 'legacy' : 'ves' };
      try {
        const head = await reader.head(stream);
        if (round % 10 < 2) await reader.readPage(stream, { from: Math.max(1, head - 20), limit: 50 });
      } catch {
        gateway += 1; // What was not answered is not part of the history.
      }
      await sleep(retryPauseMs);
    }
  }

  private recorded(name: string, gateway: number): RecordedClient {
    return new RecordedClient(this.clients[gateway % this.clients.length]!, name, this.options.history);
  }
}

function pauseAfter(outcome: AppendOutcome<unknown>): number {
  const askedMs = outcome.kind === 'refused' ? outcome.retryAfterSecs * 1_000 : 0;
  return Math.max(askedMs, retryPauseMs);
}

/** A new event, with a payload whose bytes differ from every other's. */
export function newEvent(random: () => number): ClientEvent {
  const eventId = randomUUID();
  return {
    eventId,
    entityType: 'order',
    entityId: `order-${eventId.slice(0, 2)}`,
    eventType: 'order.updated',
    payload: `{"note":"${randomUUID()}","total":${Math.floor(random() * 1_000)}.50}`,
    createdAt: new Date().toISOString(),
  };
}
