import type { BrokerOptions } from 'moleculer';
import { StoreOwnerStrategy } from './services/shard-strategy.ts';

/** How nodes find each other and talk. What a node does is in services/, what it is set to in config/. */
export interface BrokerSettings {
  readonly nodeId: string;
  /** Transporter, discoverer and middlewares of a node in a cluster; null for a node on its own. */
  readonly cluster: Pick<BrokerOptions, 'transporter' | 'registry' | 'middlewares'> | null;
  /** Upper bound of every call, in milliseconds; the broker's own default is to wait for ever. */
  readonly callTimeoutMs: number;
}

/** Broker options only: namespace, transporter, serializer, time-outs. */
export function brokerOptions({ nodeId, cluster, callTimeoutMs }: BrokerSettings): BrokerOptions {
  return {
    namespace: 'stateset-sequencer',
    nodeID: nodeId,
    transporter: cluster?.transporter ?? null,
    // Keeps bytes as bytes; as JSON a batch of 500 events takes more than twice as long between nodes.
    serializer: 'CBOR',
    requestTimeout: callTimeoutMs,
    registry: {
      strategy: StoreOwnerStrategy,
      // By default the caller's own service is taken and the strategy is never asked.
      preferLocal: false,
      // The others learn of a leave before it, so there is nothing to wait for.
      stopDelay: 0,
      ...cluster?.registry,
    },
    // The first is the innermost. Of the broker's own we use two: calls end in time, and so does what waits for them.
    internalMiddlewares: false,
    middlewares: ['Timeout', 'ErrorHandler', ...(cluster?.middlewares ?? [])],
    // Parameters are checked by the service that reads them, in its own words.
    validator: false,
    // The start command owns the signals: it drains before it stops the broker.
    skipProcessEventRegistration: true,
    metrics: false,
    tracing: false,
  };
}
