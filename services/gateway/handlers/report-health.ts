import { jsonReply, type Reply, textReply } from '../reply.ts';
import { type PoolCounts, poolUse } from './pool-status.ts';

/** What `/ready` tells: whether requests can be served here, and how the database is doing. */
export type Readiness =
  | { readonly ready: false; readonly reason: string }
  | {
      readonly ready: true;
      readonly databaseResponseTimeMs: number;
      /** Null where there is no pool. */
      readonly pool: PoolCounts | null;
      /** A node that is cut off serves the streams that it owns, and reads of all. */
      readonly cluster: 'alone' | 'joined' | 'cut off';
    };

/** Alive: says nothing about the database or the other nodes. */
export function reportHealth(version: string): () => Reply {
  return () =>
    jsonReply({
      status: 'healthy',
      service: 'stateset-sequencer',
      version,
      timestamp: new Date().toISOString().replace('Z', '+00:00'),
    });
}

export function reportReadiness(readiness: () => Promise<Readiness>): () => Promise<Reply> {
  return async () => {
    const now = await readiness();
    if (!now.ready) return textReply(503, now.reason);
    return jsonReply({
      status: 'ready',
      database: { connected: true, response_time_ms: Math.round(now.databaseResponseTimeMs) },
      pool: now.pool === null ? null : poolState(now.pool),
      cluster: now.cluster,
    });
  };
}

function poolState(counts: PoolCounts): object {
  const { percent, status } = poolUse(counts);
  return { status, utilization: `${percent.toFixed(1)}%`, active: counts.active, idle: counts.idle };
}
