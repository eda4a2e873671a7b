import type { ServiceBroker } from 'moleculer';
import type { DescribeParams, NodeReport, NodeView } from './node-report.ts';

/** How the members of a cluster are found and asked. */
export interface ClusterView {
  /** Asks every known node at once; one that says nothing in a second is told as silent. Never rejects. */
  read(params: DescribeParams): Promise<NodeView[]>;
}

/** What every node has. */
const internal = /^(\$|node$)/;
const answerTimeoutMs = 1_000;

/** What the broker keeps of a node. */
interface KnownNode {
  readonly id: string;
  readonly available: boolean;
  readonly services: readonly { readonly name: string }[];
}

export function clusterView(broker: ServiceBroker): ClusterView {
  return {
    read: async (params) => {
      const known = broker.registry.getNodeList({
        onlyAvailable: false,
        withServices: true,
      }) as unknown as KnownNode[];
      const views = await Promise.all(known.map((node) => ask(broker, node, params)));
      return views.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    },
  };
}

async function ask(broker: ServiceBroker, node: KnownNode, params: DescribeParams): Promise<NodeView> {
  const { id: nodeId, available } = node;
  const services = node.services.map(({ name }) => name).filter((name) => !internal.test(name));
  if (!available) return { nodeId, state: 'gone', services };
  try {
    const report = await broker.call<NodeReport, DescribeParams>('node.describe', params, {
      nodeID: nodeId,
      timeout: answerTimeoutMs,
      retries: 0,
    });
    return { nodeId, state: 'answers', report };
  } catch {
    return { nodeId, state: 'silent', services }; // Why does not matter: whoever looks at a cluster looks at that node next.
  }
}
