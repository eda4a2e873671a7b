import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HistorySink, RecordedClient } from '../driver/recorded-client.ts';
import { SequencerClient, type StoreName } from '../driver/sequencer-client.ts';
import { newEvent } from './traffic.ts';

export interface ProberOptions {
  readonly apiKey: string;
  readonly stores: readonly StoreName[];
  readonly history: HistorySink;
  readonly random: () => number;
}

const everyMs = 250;
const requestTimeoutMs = 15_000;

/** Finds out how long it takes until every stream accepts events again. What it sends is part of the history. */
export class Prober {
  private readonly options: ProberOptions;
  private readonly clients = new Map<string, SequencerClient>();
  private readonly pending = new Set<Promise<unknown>>();
  private probes = 0;

  constructor(options: ProberOptions) {
    this.options = options;
  }

  /**
   * Sends a new event to every store by way of every gateway, again and again, until each pair has acknowledged one.
   *
   * @param gateways addresses of the nodes that should serve
   * @returns milliseconds from the call; null when it takes longer than the time given
   */
  async measureRecovery(gateways: readonly string[], timeoutMs: number): Promise<number | null> {
    const startMs = performance.now();
    const pairs = this.options.stores.flatMap((store) => gateways.map((gateway) => ({ store, gateway })));
    const recovered = await Promise.all(
      pairs.map(({ store, gateway }) => this.accepts(store, gateway, startMs + timeoutMs)),
    );
    return recovered.every((accepts) => accepts) ? performance.now() - startMs : null;
  }

  /** Waits for the probes that are still under way. */
  async settle(): Promise<void> {
    await Promise.all(this.pending);
  }

  /** Breaks off what is still under way. */
  async close(): Promise<void> {
    for (const client of this.clients.values()) client.close();
    await this.settle();
  }

  /** One probe does not wait for the one before: an answer may take long where the next request is served at once. */
  private async accepts(store: StoreName, gateway: string, deadlineMs: number): Promise<boolean> {
    let isAccepted = false;
    while (!isAccepted && performance.now() < deadlineMs) {
      const probe = this.probe(store, gateway).then((acknowledged) => {
        isAccepted ||= acknowledged;
      });
      this.pending.add(probe);
      void probe.finally(() => this.pending.delete(probe));
      await Promise.race([probe, sleep(everyMs)]);
      if (!isAccepted) await sleep(everyMs / 2);
    }
    return isAccepted;
  }

  private async probe(store: StoreName, gateway: string): Promise<boolean> {
    this.probes += 1;
    const client = new RecordedClient(this.clientOf(gateway), `probe-${this.probes}`, this.options.history);
    const outcome = await client.append(store, randomUUID(), [newEvent(this.options.random)]);
    return outcome.kind === 'acknowledged';
  }

  private clientOf(url: string): SequencerClient {
    let client = this.clients.get(url);
    if (client === undefined) {
      const { apiKey } = this.options;
      client = new SequencerClient({ url, apiKey, connectionsMax: 1_000, timeoutMs: requestTimeoutMs });
      this.clients.set(url, client);
    }
    return client;
  }
}
