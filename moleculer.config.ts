import type { BrokerOptions } from 'moleculer';

/** How nodes find each other and talk. What a node does is in services/, what it is set to in config/. */
export interface BrokerSettings {
  readonly nodeId: string;
  /** Null for a node on its own: then there is no transporter at all. */
  readonly natsUrl: string | null;
  /** Upper bound of every call, in milliseconds; the broker's own default is to wait for ever. */
  readonly callTimeoutMs: number;
}

/** Broker options only: namespace, transporter, serializer, time-outs. */
export function brokerOptions({ nodeId, natsUrl, callTimeoutMs }: BrokerSettings): BrokerOptions {
  return {
    namespace: 'stateset-sequencer',
    nodeID: nodeId,
    transporter: natsUrl === null ? null : { type: 'NATS', options: { servers: natsUrl.split(',') } },
    // Keeps bytes as bytes; as JSON a batch of 500 events takes more than twice as long between nodes.
    serializer: 'CBOR',
    requestTimeout: callTimeoutMs,
    // A silent node is given up after this long; the fence, not this, keeps it from appending.
    heartbeatInterval: 1,
    heartbeatTimeout: 4,
    registry: {
      strategy: 'RoundRobin',
      // By default the caller's own service is taken and the strategy is never asked.
      preferLocal: false,
    },
    // Parameters are checked by the service that reads them, in its own words.
    validator: false,
    // The start command owns the signals: it drains before it stops the broker.
    skipProcessEventRegistration: true,
    metrics: false,
    tracing: false,
  };
}
