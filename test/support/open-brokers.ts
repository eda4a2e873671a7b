import { ServiceBroker, type ServiceSchema } from 'moleculer';
import type { ConnectionOptions } from 'nats';
import pino from 'pino';
import { brokerOptions } from '../../moleculer.config.ts';
import { circuitLimits } from '../../domain/resilience/circuit-breaker.ts';
import { systemClock } from '../../services/system-clock.ts';
import { Cluster, type ClusterOptions } from '../../services/transport/cluster.ts';
import { NodeCircuits } from '../../services/transport/node-circuits.ts';

export interface OpenedBroker {
  readonly broker: ServiceBroker;
  readonly cluster: Cluster;
  /** Why it had to end, once it had to. */
  readonly endedFor: Error[];
  /** As a process that is killed: its connection ends, and nothing is announced. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface OpenBrokerOptions extends Partial<Omit<ClusterOptions, 'connectionOptions'>> {
  readonly nodeId: string;
  readonly services?: readonly ServiceSchema[];
  readonly connection: ConnectionOptions;
}

/** Brokers of one test file, each a member of a cluster over NATS as a node's is. */
export class OpenBrokers {
  private readonly opened: OpenedBroker[] = [];

  async open({ services = [], connection, ...options }: OpenBrokerOptions): Promise<OpenedBroker> {
    const endedFor: Error[] = [];
    const cluster = await Cluster.join({
      namespace: 'MOL-test',
      connectionOptions: () => connection,
      clock: systemClock,
      log: pino({ level: 'silent' }),
      silenceMs: 10_000,
      circuits: new NodeCircuits({
        limits: circuitLimits,
        clock: systemClock,
        random: Math.random,
        onChange: () => undefined,
      }),
      linkLimits: { callsMax: 100, bytesMax: 33_554_432 },
      bodyBytesMax: 10_485_760,
      partialBytesMax: 33_554_432,
      onNameTaken: (error) => void endedFor.push(error),
      ...options,
    });
    const broker = new ServiceBroker({
      ...brokerOptions({ nodeId: options.nodeId, cluster: cluster.brokerOptions(), callTimeoutMs: 10_000 }),
      logger: false,
    });
    for (const service of services) broker.createService(service);
    await broker.start();
    const stop = (): Promise<void> => broker.stop();
    const opened = { broker, cluster, endedFor, kill: () => cluster.link.close(), stop };
    this.opened.push(opened);
    return opened;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((opened) => opened.stop()));
  }
}
