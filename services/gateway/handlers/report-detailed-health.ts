import type { CircuitFigures } from '../../../domain/resilience/circuit-breaker.ts';
import type { LeadershipReport } from '../../leadership/leader-election.ts';
import { jsonReply, type Reply, withStatus } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { visibleTenant } from './admin-lists.ts';
import { type PoolCounts, poolUse } from './pool-status.ts';

/** What a node knows about itself. */
export interface NodeHealth {
  /** Null when the database did not answer. */
  readonly databaseResponseTimeMs: number | null;
  readonly pool: PoolCounts;
  /** What the node does not ask while it is broken. */
  readonly circuits: readonly CircuitFigures[];
  /** What this node does for all, or would if the leader were gone. */
  readonly leadership: readonly LeadershipReport[];
  /** Stores closed to appends, since the log lacks what was acknowledged; null when the database did not answer. */
  readonly rolledBackStores: number | null;
  readonly uptimeSecs: number;
  /** What runs the node, such as `node v24.1.0`. */
  readonly runtime: string;
}

type Status = 'healthy' | 'degraded' | 'unhealthy';

const degradedFromMs = 100;
const unhealthyFromMs = 500;

/** How the node is, part by part, for administrators; 503 when it can't do its work. */
export function reportDetailedHealth(
  version: string,
  health: () => Promise<NodeHealth>,
): (request: ProtectedRequest) => Promise<Reply> {
  return async ({ principal }) => {
    visibleTenant(principal);
    const now = await health();
    const database = databaseBody(now.databaseResponseTimeMs);
    const pool = poolBody(now.pool);
    const history = historyBody(now.rolledBackStores);
    const status = worst(database.status, statusByPool[pool.status], history.status, statusOf(now.circuits));
    const reply = jsonReply({
      status,
      service: 'stateset-sequencer',
      version,
      timestamp: new Date().toISOString().replace('Z', '+00:00'),
      components: {
        database,
        pool,
        history,
        ...(now.leadership.length > 0 && { leader_election: now.leadership }),
        ...(now.circuits.length > 0 && { circuit_breakers: now.circuits.map(circuitBody) }),
      },
      // Clients know the runtime by this name.
      system: { uptime_secs: Math.floor(now.uptimeSecs), rust_version: now.runtime },
    });
    return withStatus(reply, status === 'unhealthy' ? 503 : 200);
  };
}

const statusByPool = {
  healthy: 'healthy',
  moderate: 'healthy',
  stressed: 'degraded',
  critical: 'unhealthy',
} as const;

function statusOf(circuits: readonly CircuitFigures[]): Status {
  return circuits.some(({ state }) => state === 'open') ? 'degraded' : 'healthy';
}

function circuitBody(circuit: CircuitFigures): object {
  const { name, state, successes, failures, rejected, timesOpened, timesClosed, slowCalls, averageMs } =
    circuit;
  return {
    ...{ name, state, successes, failures, rejected },
    times_opened: timesOpened,
    times_closed: timesClosed,
    slow_calls: slowCalls,
    avg_duration_ms: Math.round(averageMs * 1_000) / 1_000,
  };
}

interface DatabaseBody {
  readonly name: string;
  readonly status: Status;
  readonly message?: string;
  readonly response_time_ms?: number;
}

function databaseBody(responseTimeMs: number | null): DatabaseBody {
  const name = 'postgresql';
  if (responseTimeMs === null) return { name, status: 'unhealthy', message: 'the database does not answer' };
  const status =
    responseTimeMs < degradedFromMs ? 'healthy' : responseTimeMs < unhealthyFromMs ? 'degraded' : 'unhealthy';
  return { name, status, response_time_ms: Math.round(responseTimeMs) };
}

/** Other stores go on, so this alone is no reason to take the node away. */
function historyBody(rolledBackStores: number | null) {
  if (rolledBackStores === null) return { status: 'unhealthy' as const, rolled_back_stores: null };
  if (rolledBackStores === 0) return { status: 'healthy' as const, rolled_back_stores: 0 };
  return {
    status: 'degraded' as const,
    message: 'the log lacks acknowledged events: see "sequencer accept-rollback"',
    rolled_back_stores: rolledBackStores,
  };
}

function poolBody(counts: PoolCounts) {
  const { percent, status } = poolUse(counts);
  return {
    status,
    total_connections: counts.active + counts.idle,
    active_connections: counts.active,
    idle_connections: counts.idle,
    max_connections: counts.max,
    utilization_percent: Math.round(percent * 10) / 10,
  };
}

function worst(...statuses: readonly Status[]): Status {
  if (statuses.includes('unhealthy')) return 'unhealthy';
  return statuses.includes('degraded') ? 'degraded' : 'healthy';
}
