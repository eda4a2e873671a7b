import { systemClock } from '../services/system-clock.ts';
import { Metrics } from '../telemetry/metrics.ts';

/** What a node counts from now on. */
export function openMetrics(): Metrics {
  return new Metrics(systemClock.monotonicMs(), () => systemClock.monotonicMs());
}
