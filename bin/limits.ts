import type { Settings } from '../config/read-settings.ts';
import { RegistrationLimiter } from '../services/gateway/registration-limiter.ts';
import { insuredPoints } from '../services/limits/insured-points.ts';
import { RateLimiter } from '../services/limits/rate-limiter.ts';
import { type RequestLimits, requestLimits } from '../services/limits/request-limits.ts';
import { systemClock } from '../services/system-clock.ts';
import { memoryPoints } from '../storage/memory/memory-points.ts';
import type { PointSource } from '../storage/point-source.ts';
import type { Log } from '../telemetry/log.ts';
import type { LimitMetrics } from '../telemetry/metrics/limits.ts';

export interface OpenedLimits {
  readonly requests: RequestLimits;
  /** Null while registration is off. */
  readonly registrations: RegistrationLimiter | null;
}

const minuteMs = 60_000;

/** The limits of the settings; a node on its own counts in memory, the nodes of a cluster count together. */
export function openLimits(
  settings: Settings,
  shared: PointSource,
  metrics: LimitMetrics,
  log: Log,
): OpenedLimits {
  const open = (windowMs: number, entriesMax: number): RateLimiter => {
    const local = memoryPoints();
    return new RateLimiter({
      source: settings.natsUrl === null ? local : insuredPoints({ shared, local, log }),
      windowMs,
      entriesMax,
      clock: systemClock,
    });
  };
  const perTenant = open(minuteMs, settings.rateLimitMaxEntries);
  const perCredential = open(settings.rateLimitWindowSeconds * 1_000, settings.rateLimitMaxEntries);
  for (const limiter of [perTenant, perCredential]) metrics.addTable(() => limiter.figures);
  const registrations = settings.publicAgentRegistrationEnabled
    ? new RegistrationLimiter({
        limiter: open(minuteMs, settings.publicAgentRegistrationAddressesMax),
        requestsPerMinuteMax: settings.publicAgentRegistrationRateLimitPerMinute,
      })
    : null;
  return {
    requests: requestLimits({ perTenant, perCredential, tenantRequestsMax: settings.rateLimitPerMinute }),
    registrations,
  };
}
