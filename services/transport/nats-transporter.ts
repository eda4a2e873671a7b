import { Errors, Transporters } from 'moleculer';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeMetadata } from '../shard-strategy.ts';
import { isPart, MessageCutter, PartialMessages } from './message-parts.ts';
import type { NatsLink } from './nats-link.ts';

export interface NatsTransporterOptions {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** The longest message that may come from another node. */
  readonly messageBytesMax: number;
  /** Memory for messages of which parts are missing. */
  readonly partialBytesMax: number;
  /** Of our own heartbeats: one that comes back proves that NATS carries what we send. */
  readonly onOwnHeartbeat: () => void;
  /** NATS says that nobody listens under the name of this node. */
  readonly onNobodyThere: (nodeId: string) => void;
}

/** As Moleculer hands it to a transporter; what it declares names a module, not a type. */
type Packet = Parameters<Transporters.Base['publish']>[0];

const partPatienceMs = 10_000;
/** What the protocol of NATS puts around a message counts towards no limit of ours, but leave some room. */
const payloadReserveBytes = 512;

/** Numbers and names of Moleculer's protocol. */
const [request, info, heartbeat] = ['REQ', 'INFO', 'HEARTBEAT'] as const;

/**
 * Moleculer's packets over a `NatsLink`. Against the transporter that Moleculer brings, this one
 * - starts without a NATS server and joins when there is one,
 * - refuses calls at once while the link does not stand, and fails those that wait for an answer: the answer may have
 *   got lost with the connection,
 * - sends messages longer than the server's `max_payload` in parts, in both directions,
 * - learns from NATS, in the time of a round trip, that nobody listens under a node's name any more,
 * - does not copy what it receives.
 */
export class NatsTransporter extends Transporters.Base {
  private readonly options: NatsTransporterOptions;
  private readonly cutter = new MessageCutter();
  private readonly partials: PartialMessages;
  private isDeaf = false;

  constructor(options: NatsTransporterOptions) {
    super();
    this.options = options;
    const { clock, log, messageBytesMax, partialBytesMax } = options;
    this.partials = new PartialMessages({
      clock,
      messageBytesMax,
      heldBytesMax: partialBytesMax,
      patienceMs: partPatienceMs,
      onDropped: (reason) => log.warn({ reason }, 'a message from another node was lost'),
    });
  }

  /** Never waits for a server: the link connects when it can, and then the node joins. */
  override async connect(): Promise<void> {
    const { link, onNobodyThere } = this.options;
    link.subscribe(`${this.nobodyPrefix()}.*`, ({ headers, subject }) => {
      if (headers?.code !== nobodyCode) return;
      const id = subject.slice(subject.lastIndexOf('.') + 1);
      const nodeId = this.failUndelivered(id);
      if (nodeId !== null) onNobodyThere(nodeId);
    });
    link.listen({
      connected: () => {
        this.connected = true;
        this.countJoin();
        void this.joined(true);
      },
      cutOff: () => {
        this.connected = false;
        this.partials.clear();
        this.failPending();
      },
    });
    this.connected = link.isConnected;
    await this.joined(false);
  }

  /** While deaf, the node knows of nothing that it sends whether it arrives: calls fail at once, also those under way. */
  setDeaf(isDeaf: boolean): void {
    this.isDeaf = isDeaf;
    if (isDeaf) this.failPending();
    else if (this.connected) void this.joined(true);
  }

  override async disconnect(): Promise<void> {
    this.connected = false;
    this.partials.clear();
    await this.options.link.close();
  }

  override prepublish(packet: Packet): Promise<void> {
    if (packet.type === request && (this.isDeaf || !this.connected)) {
      const { action } = packet.payload as { readonly action: string };
      const facts = packet.target === null ? { action } : { action, nodeID: packet.target };
      return Promise.reject(new Errors.ServiceNotAvailableError(facts));
    }
    return super.prepublish(packet);
  }

  override subscribe(cmd: string, nodeID?: string): Promise<void> {
    this.options.link.subscribe(this.getTopicName(cmd, nodeID), ({ data }) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      const message = isPart(bytes) ? this.partials.add(bytes) : bytes;
      if (message !== null) void this.receive(cmd, message);
    });
    return Promise.resolve();
  }

  override send(topic: string, data: Buffer, { packet }: { packet?: Packet }): Promise<void> {
    const { link } = this.options;
    const [first, ...others] = this.cutter.cut(data, link.payloadBytesMax - payloadReserveBytes);
    // With an address for answers NATS itself answers when nobody listens; one message of a call is enough for that.
    const isCall = packet?.type === request && packet.target !== null;
    link.publish(topic, first!, isCall ? `${this.nobodyPrefix()}.${idOf(packet)}` : undefined);
    for (const part of others) link.publish(topic, part);
    return Promise.resolve();
  }

  override incomingMessage(cmd: string, message?: Buffer): Promise<void> {
    let packet: Packet;
    try {
      packet = this.deserialize(cmd, message!);
      if (typeof senderOf(packet) !== 'string') throw new TypeError('it names no sender');
    } catch (error) {
      this.options.log.warn({ cmd, err: error }, 'a message from another node can not be read');
      return Promise.resolve();
    }
    if (senderOf(packet) === this.nodeID) {
      if (cmd === heartbeat) this.options.onOwnHeartbeat();
      // Who else has our name is settled by NodeName; the broker would end this process, whoever was first.
      if (cmd === info) return Promise.resolve();
    }
    return this.handlers().messageHandler(cmd, packet);
  }

  override subscribeBalancedRequest(): Promise<void> {
    return Promise.resolve(); // The broker balances, by the ring.
  }

  override subscribeBalancedEvent(): Promise<void> {
    return Promise.resolve();
  }

  /** Calls to us, and our answers, may have got lost with the connection: those who wait for one learn it by this. */
  private countJoin(): void {
    const metadata: NodeMetadata = this.broker.metadata;
    metadata.joins = (metadata.joins ?? 0) + 1;
    (this.broker.registry as unknown as BrokerRegistry).regenerateLocalRawInfo(true);
  }

  /** Answers may have got lost with the connection, so nobody waits for them. */
  private failPending(): void {
    for (const { nodeID } of [...this.transit.pendingRequests.values()]) {
      this.transit.removePendingRequestByNodeID(nodeID);
    }
  }

  /** Tells everyone who we are, and asks who they are. */
  private joined(isAgain: boolean): Promise<unknown> {
    return this.handlers().afterConnect(isAgain);
  }

  /** The base class keeps these without a type. */
  private handlers(): {
    messageHandler(cmd: string, packet: Packet): Promise<void>;
    afterConnect(wasReconnect: boolean): Promise<unknown>;
  } {
    return this as unknown as ReturnType<NatsTransporter['handlers']>;
  }

  /** Fails a call that reached nobody. @returns the node it was for, or null when it has been settled since */
  private failUndelivered(id: string): string | null {
    const { pendingRequests } = this.transit;
    const nodeId = pendingRequests.get(id)?.nodeID ?? null;
    const pending = pendingRequests.get(id) as
      { reject(error: Error): void; action: { name: string } } | undefined;
    if (pending === undefined || nodeId === null) return null;
    this.transit.removePendingRequest(id);
    pending.reject(new Errors.ServiceNotAvailableError({ action: pending.action.name, nodeID: nodeId }));
    return nodeId;
  }

  private nobodyPrefix(): string {
    return `${this.prefix}.NOBODY.${this.transit.instanceID}`;
  }
}

/** The part of the broker's registry that is needed here; its own declaration leaves it out. */
interface BrokerRegistry {
  regenerateLocalRawInfo(isChanged: boolean): unknown;
}

/** As NATS answers when a message reaches nobody. */
const nobodyCode = 503;

function senderOf({ payload }: Packet): unknown {
  return (payload as { readonly sender?: unknown } | undefined)?.sender;
}

function idOf({ payload }: Packet): string {
  return (payload as { readonly id: string }).id;
}
