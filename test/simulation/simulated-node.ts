import { type Context, Errors, type ServiceBroker } from 'moleculer';
import { ActorDirectory } from '../../actors/actor-directory.ts';
import { StoredCache } from '../../actors/stored-cache.ts';
import { readError } from '../../services/broker-errors.ts';
import type { AppendParams, AppendReply } from '../../services/contracts.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { sequencerClient, type SequencerClient } from '../../services/sequencer-client.ts';
import { sequencerService } from '../../services/sequencer.service.ts';
import { TenantShare } from '../../services/sequencer/tenant-share.ts';
import { TurnBudget } from '../../services/sequencer/turn-budget.ts';
import type { Claim } from '../../storage/event-log.ts';
import { uuid } from '../support/events.ts';
import { checkSignatures, receiptSigner } from './signing.ts';
import { type PendingCall, type SimulatedNetwork } from './simulated-network.ts';
import { SimulatedProcess, type WallClock } from './simulated-process.ts';
import { SimulatedEventLog, type SimulatedStorage } from './simulated-storage.ts';

/** The chain of time limits, as a node has it with a request time-out of 6 s. */
export const requestTimeoutMs = 6_000;
const callTimeoutMs = 5_400;

/** What a gateway tells its client. */
export type GatewayAnswer =
  | { readonly kind: 'answered'; readonly reply: AppendReply }
  /** 4xx or 503: nothing was stored. */
  | { readonly kind: 'refused' }
  /** 504, or a connection that broke. */
  | { readonly kind: 'unknown' }
  /** 500: an invariant does not hold. */
  | { readonly kind: 'corrupt'; readonly message: string };

/** What the client of the sequencer asks of the broker. */
interface CallOptions {
  readonly timeout: number;
  readonly nodeID?: string;
}

export interface SimulatedNodeOptions {
  readonly name: string;
  readonly network: SimulatedNetwork;
  readonly storage: SimulatedStorage;
  /** Gives each attempt of a request an id of its own: the sabotage of recognising retries. */
  readonly forgetsRequestIds: boolean;
}

/** A node: the real service, actors and client of the sequencer, with simulated surroundings. */
export class SimulatedNode {
  readonly name: string;
  readonly wallClock: WallClock = { offsetUs: 0 };
  /** Calls of this process that have no answer yet. */
  readonly pending = new Set<PendingCall>();
  /** Requests that the service took and has not answered. */
  serving = 0;
  process: SimulatedProcess;

  private readonly options: SimulatedNodeOptions;
  private view: ReadonlySet<string>;
  private log: SimulatedEventLog;
  private directory: ActorDirectory;
  private client: SequencerClient;
  private handler: (params: AppendParams) => Promise<AppendReply>;
  private connections = new Set<() => void>();

  constructor(options: SimulatedNodeOptions) {
    this.options = options;
    this.name = options.name;
    this.view = new Set([options.name]);
    ({
      process: this.process,
      log: this.log,
      directory: this.directory,
      client: this.client,
      handler: this.handler,
    } = this.open(new Map()));
  }

  /** The members that this node believes in, itself among them. */
  get members(): readonly string[] {
    return [...this.view];
  }

  addMember(name: string): void {
    this.view = new Set([...this.view, name].sort());
  }

  /** The broker rejects the calls to a node that it takes for gone. */
  dropMember(name: string): void {
    if (name === this.name) return;
    this.view = new Set([...this.view].filter((member) => member !== name));
    for (const call of this.pending) {
      if (call.owner === name)
        call.fail(new Errors.RequestRejectedError({ action: 'sequencer.append', nodeID: name }));
    }
  }

  /** The owner's side of `sequencer.append`. */
  async serve(params: AppendParams): Promise<AppendReply> {
    const { process } = this;
    this.serving++;
    try {
      return await this.handler(params);
    } finally {
      if (process === this.process) this.serving--;
    }
  }

  /** The gateway's side: one client request. A node that is down has no one to take it; then nothing is sent. */
  ingest(params: AppendParams, onAnswer: (answer: GatewayAnswer) => void): void {
    const { process } = this;
    if (!process.isAlive) {
      onAnswer({ kind: 'refused' });
      return;
    }
    let isOpen = true;
    const end = (answer: GatewayAnswer): void => {
      if (!isOpen) return;
      isOpen = false;
      this.connections.delete(onCrash);
      onAnswer(answer);
    };
    const onCrash = (): void => end({ kind: 'unknown' });
    this.connections.add(onCrash);
    process.enter(() => {
      this.client.append(params).then(
        (reply) => end({ kind: 'answered', reply }),
        (error: unknown) => end(answerOf(error)),
      );
    });
  }

  /** One read of the log by this node, or null when that failed. */
  async read<Result>(run: (log: SimulatedEventLog) => Promise<Result>): Promise<Result | null> {
    return run(this.log).catch(() => null);
  }

  crash(): void {
    this.process.crash();
    this.serving = 0;
    this.pending.clear();
    const connections = [...this.connections];
    this.connections.clear();
    for (const breakOff of connections) breakOff();
  }

  /** Starts a new process after a crash; its first view is the one that the old process had. */
  start(): void {
    this.reopen(new Map());
  }

  /** Starts a new process with the memory of an earlier moment: it believes in the claims that it had then. */
  restore(): void {
    this.log.disconnect();
    this.reopen(this.log.held);
  }

  /** What a node does before it goes: it answers what it holds. */
  async leave(): Promise<void> {
    await this.directory.close();
  }

  private reopen(claims: ReadonlyMap<string, Claim>): void {
    Object.assign(this, this.open(claims));
  }

  private open(claims: ReadonlyMap<string, Claim>) {
    const { name, network, storage } = this.options;
    const process = new SimulatedProcess(storage.scheduler, name, this.wallClock);
    const { clock } = process;
    const log = new SimulatedEventLog(storage, process, name, claims);
    const random = (): number => storage.scheduler.random.next();
    const directory = new ActorDirectory(
      {
        log,
        clock,
        sha256: nodeSha256,
        receiptSigner,
        claimant: name,
        limits: {
          mailboxCommandsMax: 8,
          mailboxBytesMax: 100_000,
          flushEventsMax: 6,
          flushBytesMax: 100_000,
          aheadBytesMin: 1,
        },
        stored: new StoredCache(20),
        observer: {
          claimed: ({ storeId }, { epoch }) => storage.scheduler.note(`${name} owns ${storeId} in ${epoch}`),
          flushed: () => undefined,
          closed: ({ storeId }) => storage.scheduler.note(`${name} closes ${storeId}`),
        },
      },
      { liveActorsMax: 2, idleTimeoutMs: 3_000 },
      random,
    );
    const schema = sequencerService({
      directory,
      log,
      clock,
      sha256: nodeSha256,
      requestLimits: { maxEventsPerBatch: 100, maxEventPayloadSize: 10_000 },
      strictness: 'strict',
      signatures: { check: checkSignatures },
      schemaChecks: { check: (_tenantId, events) => Promise.resolve(events) },
      sequencerId: uuid(0x5e9),
      tenantShare: new TenantShare({ bytesMax: 2_000, activeForMs: 1_000, clock }),
      turnBudget: new TurnBudget(10_000, (run) => void process.after(0, `${name} next turn`, run)),
      bodyBytesMax: 100_000,
    });
    const { handler } = schema.actions!.append as { handler: (ctx: Context) => Promise<AppendReply> };
    const broker = {
      registry: {
        getActionEndpointByNodeId: (_action: string, nodeId: string) => ({
          isAvailable: this.view.has(nodeId),
        }),
      },
      call: (_action: string, params: AppendParams, { timeout, nodeID }: CallOptions) =>
        network.call(this, this.stamped(params), { timeoutMs: timeout, owner: nodeID ?? null }),
    };
    const client = sequencerClient({
      broker: broker as unknown as ServiceBroker,
      clock,
      random,
      callTimeoutMs,
    });
    return {
      process,
      log,
      directory,
      client,
      handler: (params: AppendParams) => handler({ params, meta: {} } as unknown as Context),
    };
  }

  private stamped(params: AppendParams): AppendParams {
    if (!this.options.forgetsRequestIds) return params;
    const requestId = uuid(0xf0_0000_0000 + this.options.storage.scheduler.random.integer(0, 2 ** 32));
    return { ...params, requestId };
  }
}

function answerOf(error: unknown): GatewayAnswer {
  const reading = readError(error);
  switch (reading?.kind) {
    case 'rejected':
    case 'pushback':
    case 'fenced':
      return { kind: 'refused' };
    case 'unknown':
      return { kind: 'unknown' };
    default:
      return {
        kind: 'corrupt',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
  }
}
