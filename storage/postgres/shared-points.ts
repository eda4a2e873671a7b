import type pg from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { PointSource } from '../point-source.ts';

/**
 * Counts that all nodes share. A window begins with its first points and ends by the clock of the node that took them, so
 * nodes' clocks should agree within a few seconds. Rows of windows that are over are deleted every five minutes.
 * @param pool of the primary
 */
export function postgresPoints(pool: pg.Pool): PointSource {
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    tableName: 'rate_limits',
    tableCreated: true,
    keyPrefix: '',
    duration: 60, // Each call says its own.
    points: Number.MAX_SAFE_INTEGER, // Who consumes decides what is too much: it differs by key.
  });
  return {
    isShared: true,
    async consume(key, points, windowMs) {
      const result = await limiter.consume(key, points, { customDuration: windowMs / 1_000 });
      return { consumed: result.consumedPoints, resetInMs: result.msBeforeNext };
    },
    forget: () => undefined, // Other nodes go on counting.
  };
}
