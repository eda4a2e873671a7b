import { isBootstrapAdmin } from '../../../domain/access.ts';
import type { Clock } from '../../../domain/clock.ts';
import { Refused } from '../../../domain/errors.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { ClusterView } from '../../cluster/cluster-view.ts';
import { type NodeView, reportedStoresMax, type SequencerReport } from '../../cluster/node-report.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';

/** The answer of `GET /api/v1/admin/cluster`. */
export interface ClusterBody {
  /** RFC 3339. */
  readonly asOf: string;
  /** The node that asked the others. */
  readonly answeredBy: string;
  /** By name. */
  readonly nodes: readonly ClusterNodeBody[];
}

export interface ClusterNodeBody {
  readonly nodeId: string;
  readonly state: NodeView['state'];
  readonly services: readonly string[];
  /** Null for a node that did not answer. */
  readonly version: string | null;
  readonly startedAt: string | null;
  readonly bytesInFlight: number | null;
  readonly bytesInFlightMax: number | null;
  /** Null also for a node that sequences nothing. */
  readonly sequencer: SequencerReport | null;
  /** The work that this node does for all. */
  readonly leads: readonly LeadBody[] | null;
}

export interface LeadBody {
  readonly role: string;
  /** Raised when another process begins to lead. */
  readonly term: number | null;
  /** RFC 3339. */
  readonly since: string | null;
}

/** The nodes of the cluster as this one sees them, for the bootstrap administrator: it tells of all tenants. */
export function readCluster(
  nodeId: string,
  cluster: ClusterView,
  clock: Pick<Clock, 'nowMicros'>,
): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ principal, query }) => {
    if (!isBootstrapAdmin(principal)) {
      throw new Refused(
        'INSUFFICIENT_PERMISSIONS',
        'this credential is not the bootstrap administrator, who alone sees all tenants',
      );
    }
    const storesMax = Math.min(query().u32('stores', 0), reportedStoresMax);
    const views = await cluster.read({ storesMax });
    const body: ClusterBody = {
      asOf: formatTimestamp(clock.nowMicros(), '+00:00'),
      answeredBy: nodeId,
      nodes: views.map(nodeBody),
    };
    return jsonReply(body);
  };
}

function nodeBody(view: NodeView): ClusterNodeBody {
  const { nodeId, state } = view;
  if (view.state === 'answers') {
    const {
      services,
      version,
      startedAt,
      bytesInFlight,
      bytesInFlightMax,
      sequencer,
      leadership = [],
    } = view.report;
    const leads = leadership
      .filter(({ leads }) => leads)
      .map(({ role, term, since }) => ({ role, term, since }));
    return { nodeId, state, services, version, startedAt, bytesInFlight, bytesInFlightMax, sequencer, leads };
  }
  const unknown = {
    version: null,
    startedAt: null,
    bytesInFlight: null,
    bytesInFlightMax: null,
    sequencer: null,
    leads: null,
  };
  return { nodeId, state, services: view.services, ...unknown };
}
