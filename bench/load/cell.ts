import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptedIn } from './accepted-in.ts';
import { Connection } from './connection.ts';
import { type LatencyFigures, latencyFigures, openLatencies } from './latency.ts';
import { RequestTemplate, uuidTemplate } from './request-template.ts';
import { makeSignedRequests, type SigningAgent } from './signed-requests.ts';

/** One cell of the table, as it is sent to this process. */
export interface CellPlan {
  readonly url: string;
  /** More gateways: connections are dealt out to them and the first in turn. */
  readonly moreUrls?: readonly string[];
  readonly apiKey: string;
  readonly tenantId: string;
  readonly payload: string;
  readonly batch: number;
  readonly connections: number;
  /** `new` is one for each event. */
  readonly streams: number | 'new' | readonly string[];
  /** Null for unsigned events. */
  readonly signed: SignedPlan | null;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /**
   * Where many large requests wait in one queue, an answer can take longer than a cell is to be measured. Then it is measured
   * on until there are so many answers a connection, but not for ever; 2 unless given.
   */
  readonly answersMin?: number;
}

/** Signed requests are made before the cell begins, which ends when they are used up. */
export interface SignedPlan {
  readonly agents: readonly SigningAgent[];
  readonly requestsMax: number;
}

/** Latency is that of acknowledged requests. */
export interface CellFigures extends LatencyFigures {
  readonly batch: number;
  readonly connections: number;
  /** How long it was measured. */
  readonly seconds: number;
  /** Events that an answer within the measured time says were accepted, over that time. */
  readonly eventsPerSecond: number;
  /** Accepted in all, warm-up included: what the processor time of the cell was spent on. */
  readonly eventsInAll: number;
  readonly loadCpuMicrosPerEvent: number;
  readonly requests: number;
  /** Answers 503; the connection then waits as long as the answer asks, and sends other events. */
  readonly pushbacks: number;
  /** Anything else that is not an acknowledgement of the whole batch. */
  readonly errors: number;
  readonly firstError: string | null;
  /** How long answers 503 took, of which there are `pushbacks`. */
  readonly pushbackP50Ms: number;
  readonly pushbackP99Ms: number;
}

const timeoutMs = 60_000;
const answersMinDefault = 2;
const measureMsMax = 30_000;
/** The next request of a connection; null when there is none left. */
type NextRequest = () => Buffer | null;

/** A closed loop: each connection sends its next request when the answer to the last one is there. */
export async function runCell(plan: CellPlan): Promise<CellFigures> {
  const stores = storesOf(plan.streams);
  const sources = await openSources(plan, stores);
  const cell = new Cell(plan);
  const urls = [plan.url, ...(plan.moreUrls ?? [])].map((url) => new URL(url));
  await Promise.all(sources.map((next, index) => cell.loop(next, urls[index % urls.length]!)));
  return cell.figures();
}

function storesOf(streams: CellPlan['streams']): readonly string[] {
  if (streams === 'new') return [uuidTemplate];
  return typeof streams === 'number' ? Array.from({ length: streams }, () => randomUUID()) : streams;
}

/** Where each connection gets its requests from. */
async function openSources(plan: CellPlan, stores: readonly string[]): Promise<NextRequest[]> {
  const { apiKey, tenantId, payload, batch, connections, signed } = plan;
  const storeOf = (index: number): string => stores[index % stores.length] ?? randomUUID();
  if (signed === null) {
    const url = new URL(plan.url);
    return Array.from({ length: connections }, (_, index) => {
      const ids = { tenantId, storeId: storeOf(index), agentId: randomUUID() };
      const template = new RequestTemplate({ url, apiKey, ...ids, payload, events: batch });
      return () => template.next();
    });
  }
  const requests: Buffer[][] = [];
  for (const storeId of stores) {
    const count = Math.ceil(signed.requestsMax / stores.length);
    const { url } = plan;
    const options = { url, apiKey, tenantId, storeId, payload, agents: signed.agents };
    requests.push(await makeSignedRequests({ ...options, events: batch, requests: count }));
  }
  return Array.from({ length: connections }, (_, index) => () => {
    return requests[index % requests.length]?.pop() ?? null;
  });
}

class Cell {
  private readonly plan: CellPlan;
  private readonly latencyUs = openLatencies();
  private readonly pushbackUs = openLatencies();
  private readonly measureFromMs: number;
  /** Null while it is being measured. */
  private measureToMs: number | null = null;
  private readonly cpuBefore = process.cpuUsage();
  private events = 0;
  private eventsInAll = 0;
  private requests = 0;
  private pushbacks = 0;
  private errors = 0;
  private firstError: string | null = null;

  constructor(plan: CellPlan) {
    this.plan = plan;
    this.measureFromMs = performance.now() + plan.warmUpMs;
  }

  async loop(next: NextRequest, url: URL): Promise<void> {
    const connection = new Connection(url);
    while (!this.isOver()) {
      const bytes = next();
      if (bytes === null) {
        this.measureToMs = performance.now();
        break;
      }
      let pauseMs = await this.request(connection, bytes);
      for (; pauseMs > 0 && !this.isOver(); pauseMs -= 100) await sleep(Math.min(pauseMs, 100));
    }
    connection.close();
  }

  private isOver(): boolean {
    if (this.measureToMs !== null) return true;
    const nowMs = performance.now();
    const measuredMs = nowMs - this.measureFromMs;
    if (measuredMs < this.plan.measureMs) return false;
    const isEnough = this.requests >= this.plan.connections * (this.plan.answersMin ?? answersMinDefault);
    if (isEnough || measuredMs > measureMsMax) this.measureToMs = nowMs;
    return this.measureToMs !== null;
  }

  /** @returns how long to wait before the next one, in milliseconds */
  private async request(connection: Connection, bytes: Buffer): Promise<number> {
    const startMs = performance.now();
    try {
      const { status, answeredMs, body, retryAfterSecs } = await connection.send(bytes, timeoutMs);
      const endMs = performance.now();
      const accepted = status === 200 ? acceptedIn(body) : 0;
      this.eventsInAll += accepted;
      if (endMs < this.measureFromMs || this.measureToMs !== null) return retryAfterSecs * 1_000;
      this.requests += 1;
      if (status === 503) {
        this.pushbacks += 1;
        // Not until all of the request is gone, which the node takes in only to drop it.
        this.pushbackUs.recordValue(Math.round((answeredMs - startMs) * 1_000));
        // Not all at the same instant again.
        return retryAfterSecs * 1_000 * (0.5 + Math.random());
      }
      this.events += accepted;
      if (accepted === this.plan.batch) this.latencyUs.recordValue(Math.round((endMs - startMs) * 1_000));
      else this.fail(`status ${status}: ${body.toString('utf8', 0, 200)}`);
    } catch (error) {
      this.fail((error as Error).message);
    }
    return 0;
  }

  figures(): CellFigures {
    const { batch, connections } = this.plan;
    const seconds = ((this.measureToMs ?? performance.now()) - this.measureFromMs) / 1_000;
    const pushbackMs = (percentile: number): number =>
      this.pushbackUs.getValueAtPercentile(percentile) / 1_000;
    const { user, system } = process.cpuUsage(this.cpuBefore);
    const { eventsInAll, requests, pushbacks, errors, firstError } = this;
    return {
      batch,
      connections,
      seconds,
      eventsPerSecond: this.events / seconds,
      eventsInAll,
      loadCpuMicrosPerEvent: (user + system) / Math.max(eventsInAll, 1),
      ...{ requests, pushbacks, errors, firstError },
      ...{ pushbackP50Ms: pushbackMs(50), pushbackP99Ms: pushbackMs(99) },
      ...latencyFigures(this.latencyUs),
    };
  }

  private fail(reason: string): void {
    this.errors += 1;
    this.firstError ??= reason;
  }
}
