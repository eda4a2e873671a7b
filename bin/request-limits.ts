import type { Settings } from '../config/read-settings.ts';
import { insuredPoints } from '../services/limits/insured-points.ts';
import { RateLimiter } from '../services/limits/rate-limiter.ts';
import { type RequestLimits, requestLimits } from '../services/limits/request-limits.ts';
import { systemClock } from '../services/system-clock.ts';
import { memoryPoints } from '../storage/memory/memory-points.ts';
import type { PointSource } from '../storage/point-source.ts';
import type { Log } from '../telemetry/log.ts';
import type { LimitMetrics } from '../telemetry/metrics/limits.ts';

/** The limits of the settings; a node on its own counts in memory, the nodes of a cluster count together. */
export function openRequestLimits(
  settings: Settings,
  shared: PointSource,
  metrics: LimitMetrics,
  log: Log,
): RequestLimits {
  const open = (windowMs: number): RateLimiter => {
    const local = memoryPoints();
    const limiter = new RateLimiter({
      source: settings.natsUrl === null ? local : insuredPoints({ shared, local, log }),
      windowMs,
      entriesMax: settings.rateLimitMaxEntries,
      clock: systemClock,
    });
    metrics.addTable(() => limiter.figures);
    return limiter;
  };
  return requestLimits({
    perTenant: open(60_000),
    perCredential: open(settings.rateLimitWindowSeconds * 1_000),
    tenantRequestsMax: settings.rateLimitPerMinute,
  });
}
