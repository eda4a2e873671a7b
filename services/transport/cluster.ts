import type { BrokerOptions, ServiceBroker } from 'moleculer';
import type { ConnectionOptions } from 'nats';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeMetadata } from '../shard-strategy.ts';
import { Heartbeats } from './heartbeats.ts';
import { LinkBounds, type LinkLimits } from './link-bounds.ts';
import { NatsLink } from './nats-link.ts';
import { NatsTransporter } from './nats-transporter.ts';
import type { NodeCircuits } from './node-circuits.ts';
import { NodeName, type NodeNameTaken } from './node-name.ts';

export interface ClusterOptions {
  readonly nodeId: string;
  /** Nodes with different ones do not see each other. */
  readonly namespace: string;
  readonly connectionOptions: () => ConnectionOptions;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** A node not heard of for this long is taken for gone. */
  readonly silenceMs: number;
  readonly linkLimits: LinkLimits;
  /** To each of the other nodes. */
  readonly circuits: NodeCircuits;
  /** The longest request body; what comes around it is counted here. */
  readonly bodyBytesMax: number;
  readonly partialBytesMax: number;
  /** Another living node has our name: this one must end. */
  readonly onNameTaken: (error: NodeNameTaken) => void;
}

/** Whether this node sees the others: `joining` until it first does, `cut off` when it no longer does. */
export type ClusterState = 'joining' | 'joined' | 'cut off';

/** Names, meta data and, in an answer, receipts: about as much as the events, for the smallest there are. */
const envelopeBytesMax = 1_048_576;
/** The time in which the others answer who they are. */
const acquaintanceMs = 500;

/** The node's membership of a cluster, over NATS. */
export class Cluster {
  readonly link: NatsLink;
  /** What waits for answers of each of the other nodes. */
  readonly bounds: LinkBounds;
  private readonly options: ClusterOptions;
  private readonly heartbeats: Heartbeats;
  private readonly transporter: NatsTransporter;

  /**
   * Connects to NATS, or goes on trying in the background when no server answers.
   * @throws NatsRefused when a server answers and does not let us in
   * @throws NodeNameTaken when a living node has our name
   */
  static async join(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.link.open();
      await cluster.takeName();
      return cluster;
    } catch (error) {
      await cluster.link.close();
      throw error;
    }
  }

  private constructor(options: ClusterOptions) {
    this.options = options;
    const { clock, log, connectionOptions, silenceMs, bodyBytesMax, partialBytesMax } = options;
    this.link = new NatsLink({ connectionOptions, clock, log });
    this.bounds = new LinkBounds(options.linkLimits);
    this.heartbeats = new Heartbeats({
      link: this.link,
      clock,
      silenceMs,
      onDeaf: (isDeaf) => {
        if (isDeaf)
          log.warn('what this node sends to NATS does not arrive: it calls no other node until it does');
        else log.info('what this node sends to NATS arrives again');
        this.transporter.setDeaf(isDeaf);
      },
    });
    this.transporter = new NatsTransporter({
      link: this.link,
      clock,
      log,
      messageBytesMax: 2 * bodyBytesMax + envelopeBytesMax,
      partialBytesMax: partialBytesMax + envelopeBytesMax,
      onOwnHeartbeat: () => this.heartbeats.ownHeard(),
      onNobodyThere: (nodeId) => this.heartbeats.nobodyThere(nodeId),
    });
  }

  /** What makes a broker part of the cluster. */
  brokerOptions(): Pick<BrokerOptions, 'transporter' | 'registry' | 'middlewares'> {
    return {
      transporter: this.transporter,
      registry: { discoverer: this.heartbeats },
      // From the inside out.
      middlewares: [this.options.circuits.middleware(), this.bounds.middleware()],
    };
  }

  get state(): ClusterState {
    if (this.seesOthers()) return 'joined';
    return this.link.hasConnected ? 'cut off' : 'joining';
  }

  /** Why the node does not see the others, for people. */
  get problem(): string {
    return this.heartbeats.isDeaf ? 'NATS does not deliver what this node sends' : this.link.lastProblem;
  }

  /** For how long the node has not seen the others; 0 when it does. */
  get cutOffForMs(): number {
    return this.seesOthers() ? 0 : this.link.inModeForMs;
  }

  /** Whether the node knows enough of the others to take over a stream. */
  mayClaim(): boolean {
    return this.seesOthers() && this.link.inModeForMs >= acquaintanceMs;
  }

  /** Tells the others that this node's streams are theirs from now on. It still answers what comes. */
  async announceLeave(broker: ServiceBroker): Promise<void> {
    const metadata: NodeMetadata = broker.metadata;
    metadata.leaving = true;
    const { registry } = broker as unknown as { registry: BrokerRegistry };
    registry.regenerateLocalRawInfo(true);
    await registry.discoverer.sendLocalNodeInfo();
  }

  private seesOthers(): boolean {
    return this.link.isConnected && !this.heartbeats.isDeaf;
  }

  private async takeName(): Promise<void> {
    const { clock, nodeId, namespace, onNameTaken } = this.options;
    const name = new NodeName({
      link: this.link,
      namespace,
      nodeId,
      self: {
        instanceId: randomUUID(),
        startedAtMs: Number(clock.nowMicros() / 1_000n),
        place: `process ${process.pid} on ${hostname()}`,
      },
      onTaken: onNameTaken,
    });
    await name.take();
  }
}

/** The part of the broker's registry that is needed here; its own declaration leaves it out. */
interface BrokerRegistry {
  regenerateLocalRawInfo(isChanged: boolean): unknown;
  readonly discoverer: { sendLocalNodeInfo(): Promise<void> };
}
