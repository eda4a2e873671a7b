import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptedIn } from './accepted-in.ts';
import { Connection } from './connection.ts';
import { type LatencyFigures, latencyFigures, openLatencies } from './latency.ts';
import { RequestTemplate } from './request-template.ts';

/** Requests at a steady pace, whether or not those before them are answered. */
export interface OpenLoopPlan {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  readonly payload: string;
  /** Events of each request. */
  readonly batch: number;
  readonly eventsPerSecond: number;
  /** Requests that may be on their way at once; more wait here, and their time runs. */
  readonly connections: number;
  readonly streams: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Latency runs from the moment at which a request was due, not from when it could be sent. */
export interface OpenLoopFigures extends LatencyFigures {
  readonly wantedPerSecond: number;
  /** Events acknowledged over the measured time. */
  readonly eventsPerSecond: number;
  /** Acknowledged in all, warm-up included: what the processor time was spent on. */
  readonly eventsInAll: number;
  readonly loadCpuMicrosPerEvent: number;
  readonly requests: number;
  readonly pushbacks: number;
  readonly errors: number;
  readonly firstError: string | null;
  /** Whether it was given up, since so much waited that the pace was plainly not held. */
  readonly gaveUp: boolean;
}

const timeoutMs = 30_000;
/** When what is due lies this far back, nothing more is to be learnt. */
const behindMsMax = 5_000;

/** Sends requests when they are due, as clients do that don't know of each other. */
export async function runOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopFigures> {
  return new OpenLoop(plan).run();
}

class OpenLoop {
  private readonly plan: OpenLoopPlan;
  private readonly startMs = performance.now();
  private readonly measureFromMs: number;
  private readonly endMs: number;
  private readonly everyMs: number;
  private readonly latencyUs = openLatencies();
  private readonly cpuBefore = process.cpuUsage();
  private sent = 0;
  private requests = 0;
  private events = 0;
  private eventsInAll = 0;
  private pushbacks = 0;
  private errors = 0;
  private firstError: string | null = null;
  private gaveUp = false;

  constructor(plan: OpenLoopPlan) {
    this.plan = plan;
    this.measureFromMs = this.startMs + plan.warmUpMs;
    this.endMs = this.measureFromMs + plan.measureMs;
    this.everyMs = (1_000 * plan.batch) / plan.eventsPerSecond;
  }

  async run(): Promise<OpenLoopFigures> {
    const { url, apiKey, tenantId, payload, batch, connections, streams } = this.plan;
    const stores = Array.from({ length: streams }, () => randomUUID());
    await Promise.all(
      Array.from({ length: connections }, (_, index) => {
        const storeId = stores[index % streams]!;
        const ids = { tenantId, storeId, agentId: randomUUID() };
        const template = new RequestTemplate({ url: new URL(url), apiKey, ...ids, payload, events: batch });
        return this.serve(new Connection(new URL(url)), template);
      }),
    );
    return this.figures();
  }

  /** Each connection takes the next request that is due, or waits until one is. */
  private async serve(connection: Connection, template: RequestTemplate): Promise<void> {
    for (;;) {
      const dueMs = this.startMs + this.sent * this.everyMs;
      if (dueMs >= this.endMs || this.gaveUp) break;
      this.sent += 1;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      if (earlyMs < -behindMsMax) this.gaveUp = true;
      await this.request(connection, template.next(), dueMs);
    }
    connection.close();
  }

  private async request(connection: Connection, bytes: Buffer, dueMs: number): Promise<void> {
    const isMeasured = dueMs >= this.measureFromMs;
    if (isMeasured) this.requests += 1;
    try {
      const { status, body } = await connection.send(bytes, timeoutMs);
      const isAcknowledged = status === 200 && acceptedIn(body) === this.plan.batch;
      if (isAcknowledged) this.eventsInAll += this.plan.batch;
      if (!isMeasured) return;
      if (isAcknowledged) {
        this.events += this.plan.batch;
        this.latencyUs.recordValue(Math.max(0, Math.round((performance.now() - dueMs) * 1_000)));
      } else if (status === 503) this.pushbacks += 1;
      else this.fail(`status ${status}: ${body.toString('utf8', 0, 200)}`);
    } catch (error) {
      this.fail((error as Error).message);
    }
  }

  private figures(): OpenLoopFigures {
    // Up to the last answer: what was acknowledged late is no evidence for the pace.
    const seconds = (performance.now() - this.measureFromMs) / 1_000;
    const { user, system } = process.cpuUsage(this.cpuBefore);
    const { eventsInAll, requests, pushbacks, errors, firstError, gaveUp } = this;
    return {
      wantedPerSecond: this.plan.eventsPerSecond,
      eventsPerSecond: this.events / seconds,
      eventsInAll,
      loadCpuMicrosPerEvent: (user + system) / Math.max(eventsInAll, 1),
      ...{ requests, pushbacks, errors, firstError, gaveUp },
      ...latencyFigures(this.latencyUs),
    };
  }

  private fail(reason: string): void {
    this.errors += 1;
    this.firstError ??= reason;
  }
}
