import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { PointSource } from '../point-source.ts';

/** Counts of this process alone. */
export function memoryPoints(): PointSource {
  const limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60, keyPrefix: '' });
  return {
    isShared: false,
    async consume(key, points, windowMs) {
      const result = await limiter.consume(key, points, { customDuration: windowMs / 1_000 });
      return { consumed: result.consumedPoints, resetInMs: result.msBeforeNext };
    },
    forget: (key) => void limiter.delete(key),
  };
}
