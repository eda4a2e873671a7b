import type { AnsweredEvent, AppendRecord, HistoryRecord, SentEvent } from '../../domain/history/record.ts';
import {
  type Hash,
  type Sequence,
  storeKeyText,
  type StoreKey,
  type Uuid,
  type World,
} from '../../domain/types.ts';
import type { AppendReply } from '../../services/contracts.ts';
import { uuid } from '../support/events.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import { type GatewayAnswer, requestTimeoutMs, type SimulatedNode } from './simulated-node.ts';
import { receiptHolds, receiptText, signedWireEvent } from './signing.ts';

export interface Stream {
  readonly name: string;
  readonly store: StoreKey;
  readonly world: World;
}

/** An event that a client made up, in the form that requests have it in. */
interface ClientEvent {
  readonly id: Uuid;
  readonly payload: string;
  readonly wire: Record<string, unknown>;
  /** Of signed events only. */
  readonly signingHash: Hash | null;
}

const agentId = uuid(0xa9);
/** A client waits somewhat longer than the gateway promises to take. */
const clientTimeoutMs = requestTimeoutMs + 1_000;

/** Makes up streams, events and clients, and keeps the history of what those clients saw. */
export class Workload {
  readonly streams: readonly Stream[];
  readonly history: HistoryRecord[] = [{ type: 'history', version: 1 }];
  /** What went wrong beyond what a history can tell. */
  readonly corruptions: string[] = [];

  private readonly scheduler: Scheduler;
  private readonly network: SimulatedNetwork;
  private readonly nodes: readonly SimulatedNode[];
  private readonly events = new Map<string, ClientEvent & { readonly stream: Stream }>();
  private readonly sent = new Map<string, ClientEvent[]>();
  private requests = 0;

  constructor(network: SimulatedNetwork, nodes: readonly SimulatedNode[]) {
    this.scheduler = network.scheduler;
    this.nodes = nodes;
    this.network = network;
    this.streams = [1, 2].flatMap((number) =>
      (['legacy', 'ves'] as const).map((world) => {
        const store = { tenantId: uuid(number), storeId: uuid(0x50 + number) };
        return { name: `${storeKeyText(store)}/${world}`, store, world };
      }),
    );
  }

  /** Whether a receipt that a client got is the sequencer's word. */
  readonly verifyReceipt = (
    receipt: string,
    subject: { readonly id: string; readonly sequence: number },
  ): boolean => {
    const event = this.events.get(subject.id);
    if (event?.signingHash == null) return false;
    const { stream, id: eventId, signingHash } = event;
    return receiptHolds(receipt, { ...stream.store, eventId, signingHash, sequence: subject.sequence });
  };

  /** A client that appends one request after the other, and sends again what it has no answer for. */
  async runWriter(process: string, requestCount: number): Promise<void> {
    const { random } = this.scheduler;
    for (let request = 0; request < requestCount; request++) {
      await this.pause(random.about(250));
      const stream = random.pick(this.streams);
      const events = this.someEvents(stream);
      for (let attempt = 0; attempt < 4; attempt++) {
        const outcome = await this.append(process, stream, events);
        if (outcome === 'acknowledged' || random.chance(0.2)) break;
        await this.pause(outcome === 'refused' ? 1_000 : random.about(200));
      }
    }
  }

  /** A client that asks for heads and pages. */
  async runReader(process: string, readCount: number): Promise<void> {
    const { random } = this.scheduler;
    for (let read = 0; read < readCount; read++) {
      await this.pause(random.about(500));
      const stream = random.pick(this.streams);
      const node = random.pick(this.nodes);
      if (!node.process.isRunning) continue;
      await (random.chance(0.5)
        ? this.readHead(process, stream, node)
        : this.readPage(process, stream, node));
    }
  }

  /** Appends one fresh event and goes on until it is acknowledged. */
  async appendFresh(process: string, stream: Stream): Promise<void> {
    const events = [this.newEvent(stream)];
    while ((await this.append(process, stream, events)) !== 'acknowledged') await this.pause(200);
  }

  private async append(
    process: string,
    stream: Stream,
    events: readonly ClientEvent[],
  ): Promise<AppendRecord['outcome']> {
    const { scheduler, network } = this;
    const { store, world } = stream;
    const requestId = uuid(0xe00_0000 + ++this.requests);
    const body = Buffer.from(JSON.stringify(bodyOf(world, events)));
    const node = scheduler.random.pick(this.nodes);
    const invokedUs = scheduler.nowUs;
    scheduler.note(`${process} sends ${requestId.slice(-6)} to ${node.name}`);
    const answer = await this.exchange(node, (onAnswer) =>
      node.ingest(
        {
          ...store,
          world,
          requestId,
          body,
          principal: { agentId: null, mayWrite: true },
          timeLeftMs: requestTimeoutMs,
        },
        onAnswer,
      ),
    );
    const call = {
      type: 'append',
      process,
      invokedUs,
      completedUs: scheduler.nowUs,
      stream: stream.name,
    } as const;
    const record = this.recordOf(call, events, answer, network.duplicated.has(requestId));
    this.history.push(record);
    scheduler.count(`request: ${record.outcome}`);
    scheduler.note(`${process} ends ${requestId.slice(-6)}: ${record.outcome}`);
    return record.outcome;
  }

  private recordOf(
    call: Omit<AppendRecord & { outcome: never }, 'outcome' | 'events' | 'head'>,
    events: readonly ClientEvent[],
    answer: GatewayAnswer,
    isDuplicated: boolean,
  ): AppendRecord {
    const sent = events.map(({ id, payload }): SentEvent => ({ id, payload }));
    if (answer.kind === 'answered') {
      const { reply } = answer;
      const answered = answeredEvents(events, reply);
      const isPromised = !isDuplicated || answered.every(({ result }) => result !== 'refused');
      if (isPromised) return { ...call, outcome: 'acknowledged', events: answered, head: reply.head };
    }
    if (answer.kind === 'corrupt') this.corruptions.push(answer.message);
    const isRefused = answer.kind === 'refused' && !isDuplicated;
    return { ...call, outcome: isRefused ? 'refused' : 'unknown', events: sent };
  }

  /** The way between client and gateway, which takes time and breaks with the gateway. */
  private exchange(
    node: SimulatedNode,
    run: (onAnswer: (answer: GatewayAnswer) => void) => void,
  ): Promise<GatewayAnswer> {
    const { scheduler } = this;
    return new Promise((resolve) => {
      const timeout = scheduler.after(clientTimeoutMs, 'client gives up', () => resolve({ kind: 'unknown' }));
      scheduler.after(this.wayMs(), `client reaches ${node.name}`, () =>
        run((answer) => {
          const isBroken = scheduler.random.chance(0.01);
          scheduler.after(this.wayMs(), 'answer reaches client', () => {
            timeout.cancel();
            resolve(isBroken ? { kind: 'unknown' } : answer);
          });
        }),
      );
    });
  }

  private async readHead(process: string, stream: Stream, node: SimulatedNode): Promise<void> {
    const invokedUs = this.scheduler.nowUs;
    const heads = await this.within(node.read((log) => log.heads(stream.store)));
    if (heads === null) return;
    const call = { process, invokedUs, completedUs: this.scheduler.nowUs, stream: stream.name };
    this.history.push({ type: 'head', ...call, head: heads[stream.world] });
  }

  private async readPage(process: string, stream: Stream, node: SimulatedNode): Promise<void> {
    const invokedUs = this.scheduler.nowUs;
    const from = this.scheduler.random.integer(1, 20);
    const limit = this.scheduler.random.integer(1, 20);
    const range = [from as Sequence, (from + limit - 1) as Sequence] as const;
    const events = await this.within(
      node.read(async (log) =>
        stream.world === 'legacy'
          ? (await log.readLegacy(stream.store, ...range)).map(readEvent)
          : (await log.readVes(stream.store, ...range)).map(readEvent),
      ),
    );
    if (events === null) return;
    const call = { process, invokedUs, completedUs: this.scheduler.nowUs, stream: stream.name };
    this.history.push({ type: 'read', ...call, from, limit, events });
  }

  /** The result, or null when it does not come in time, as when the reader's node crashes. */
  private within<Result>(result: Promise<Result | null>): Promise<Result | null> {
    return new Promise((resolve) => {
      const timeout = this.scheduler.after(clientTimeoutMs, 'reader gives up', () => resolve(null));
      void result.then((value) => {
        timeout.cancel();
        resolve(value);
      });
    });
  }

  /** Mostly new events; now and then some that this or another client has sent before. */
  private someEvents(stream: Stream): ClientEvent[] {
    const { random } = this.scheduler;
    const known = this.sent.get(stream.name) ?? [];
    const events = Array.from({ length: random.integer(1, 3) }, () =>
      known.length > 0 && random.chance(0.15) ? random.pick(known.slice(-6)) : this.newEvent(stream),
    );
    return [...new Set(events)];
  }

  private newEvent(stream: Stream): ClientEvent {
    const { random } = this.scheduler;
    const number = this.events.size + 1;
    const id = uuid(number);
    const payload = JSON.stringify({ number });
    const entityId = `ORD-${random.integer(1, 3)}`;
    const optional = {
      ...(random.chance(0.15) && { base_version: random.integer(0, 6) }),
      ...(random.chance(0.1) && { command_id: uuid(0xc00_0000 + random.integer(1, 10)) }),
    };
    const event =
      stream.world === 'legacy'
        ? {
            id,
            payload,
            wire: { ...legacyWireEvent(stream.store, id, entityId, number), ...optional },
            signingHash: null,
          }
        : {
            id,
            payload,
            ...signedWireEvent({
              ...stream.store,
              eventId: id,
              sourceAgent: agentId,
              entityId,
              payloadText: payload,
              optional,
            }),
          };
    this.events.set(id, { ...event, stream });
    const sent = this.sent.get(stream.name) ?? [];
    this.sent.set(stream.name, [...sent, event].slice(-6));
    return event;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(ms, 'client goes on', resolve));
  }

  private wayMs(): number {
    return 0.2 + this.scheduler.random.about(0.5);
  }
}

/** What the history keeps of a stored event. */
export function readEvent({
  sequence,
  eventId,
  payload,
}: {
  readonly sequence: number;
  readonly eventId: string;
  readonly payload: Uint8Array | null;
}): { sequence: number; id: string; payload: string } {
  return { sequence, id: eventId, payload: new TextDecoder().decode(payload ?? undefined) };
}

function legacyWireEvent(
  store: StoreKey,
  id: Uuid,
  entityId: string,
  number: number,
): Record<string, unknown> {
  return {
    event_id: id,
    tenant_id: store.tenantId,
    store_id: store.storeId,
    entity_type: 'order',
    entity_id: entityId,
    event_type: 'order.created',
    created_at: '2025-12-20T18:31:22.123Z',
    payload: { number },
  };
}

function bodyOf(world: World, events: readonly ClientEvent[]): object {
  const wire = events.map((event) => event.wire);
  return world === 'legacy' ? { agent_id: agentId, events: wire } : { agentId, events: wire };
}

/** What an answer says of each event sent. */
function answeredEvents(sent: readonly ClientEvent[], reply: AppendReply): AnsweredEvent[] {
  const accepted = new Map(reply.receipts.map(({ eventId, sequence }) => [eventId, sequence]));
  const rejected = new Map(reply.rejections.map((rejection) => [rejection.eventId, rejection]));
  const receipts = new Map(reply.signed?.receipts.map((receipt) => [receipt.eventId, receipt]));
  return sent.map(({ id, payload }): AnsweredEvent => {
    const signed = receipts.get(id);
    const receipt = signed === undefined ? {} : { receipt: receiptText(signed) };
    const sequence = accepted.get(id);
    if (sequence !== undefined) return { id, payload, result: 'accepted', sequence, ...receipt };
    const storedAt = signed?.sequence ?? rejected.get(id)?.sequence;
    if (storedAt !== undefined) return { id, payload, result: 'stored', sequence: storedAt, ...receipt };
    if (!rejected.has(id)) throw new Error(`the answer says nothing of event ${id}`);
    return { id, payload, result: 'refused' };
  });
}
