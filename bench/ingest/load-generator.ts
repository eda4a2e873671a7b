import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'hdr-histogram-js';
import { Connection } from './connection.ts';
import { RequestTemplate } from './request-template.ts';

/** One cell of the table, as it is sent to this process. */
export interface CellPlan {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  readonly payload: string;
  readonly batch: number;
  readonly connections: number;
  readonly streams: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface CellFigures {
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
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const timeoutMs = 60_000;
/**
 * Where many large requests wait in one queue, an answer can take longer than a cell is to be measured. Then it is
 * measured on, until there are two answers a connection, but not for ever.
 */
const answersPerConnectionMin = 2;
const measureMsMax = 30_000;
const acceptedKey = '"events_accepted":';

process.on('message', (plan: CellPlan) => {
  void runCell(plan).then((figures) => process.send?.(figures));
});

/** A closed loop: each connection sends its next request when the answer to the last one is there. */
async function runCell(plan: CellPlan): Promise<CellFigures> {
  const cell = new Cell(plan);
  const stores = Array.from({ length: plan.streams }, () => randomUUID());
  const loops = Array.from({ length: plan.connections }, (_, index) =>
    cell.loop(stores[index % stores.length] ?? randomUUID()),
  );
  await Promise.all(loops);
  return cell.figures();
}

class Cell {
  private readonly plan: CellPlan;
  private readonly latencyUs = build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 3 });
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

  async loop(storeId: string): Promise<void> {
    const { url, apiKey, tenantId, payload, batch } = this.plan;
    const target = { url: new URL(url), apiKey, tenantId, storeId, agentId: randomUUID(), payload };
    const template = new RequestTemplate({ ...target, events: batch });
    const connection = new Connection(target.url);
    while (!this.isOver()) {
      let pauseMs = await this.request(connection, template.next());
      for (; pauseMs > 0 && !this.isOver(); pauseMs -= 100) await sleep(Math.min(pauseMs, 100));
    }
    connection.close();
  }

  private isOver(): boolean {
    if (this.measureToMs !== null) return true;
    const nowMs = performance.now();
    const measuredMs = nowMs - this.measureFromMs;
    if (measuredMs < this.plan.measureMs) return false;
    const isEnough = this.requests >= this.plan.connections * answersPerConnectionMin;
    if (isEnough || measuredMs > measureMsMax) this.measureToMs = nowMs;
    return this.measureToMs !== null;
  }

  /** @returns how long to wait before the next one, in milliseconds */
  private async request(connection: Connection, bytes: Buffer): Promise<number> {
    const startMs = performance.now();
    try {
      const { status, body, retryAfterSecs } = await connection.send(bytes, timeoutMs);
      const endMs = performance.now();
      const accepted = status === 200 ? acceptedIn(body) : 0;
      this.eventsInAll += accepted;
      if (endMs < this.measureFromMs || this.measureToMs !== null) return retryAfterSecs * 1_000;
      this.requests += 1;
      if (status === 503) {
        this.pushbacks += 1;
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
    const ms = (percentile: number): number => this.latencyUs.getValueAtPercentile(percentile) / 1_000;
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
      ...{ p50Ms: ms(50), p95Ms: ms(95), p99Ms: ms(99), maxMs: this.latencyUs.maxValue / 1_000 },
    };
  }

  private fail(reason: string): void {
    this.errors += 1;
    this.firstError ??= reason;
  }
}

function acceptedIn(body: Buffer): number {
  const at = body.indexOf(acceptedKey);
  return at === -1 ? 0 : Number.parseInt(body.toString('latin1', at + acceptedKey.length, at + 40), 10);
}
