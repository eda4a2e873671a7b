import { jsonReply, type Reply, textReply } from '../reply.ts';

/** What `/ready` tells: whether requests can be served here, and how the database is doing. */
export type Readiness =
  | { readonly ready: false; readonly reason: string }
  | {
      readonly ready: true;
      readonly databaseResponseTimeMs: number;
      /** Connections for everything but appends, which have their own; null where there is no pool. */
      readonly pool: { readonly active: number; readonly idle: number; readonly max: number } | null;
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
    });
  };
}

const poolStatuses = [
  { from: 95, status: 'critical' },
  { from: 80, status: 'stressed' },
  { from: 50, status: 'moderate' },
] as const;

function poolState({ active, idle, max }: { active: number; idle: number; max: number }): object {
  const percent = max === 0 ? 0 : (active / max) * 100;
  const status = poolStatuses.find(({ from }) => percent >= from)?.status ?? 'healthy';
  return { status, utilization: `${percent.toFixed(1)}%`, active, idle };
}
