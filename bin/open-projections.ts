import type { Settings } from '../config/read-settings.ts';
import { DeadLetterDesk } from '../services/projections/dead-letter-desk.ts';
import { ProjectionRunner } from '../services/projections/projection-runner.ts';
import { StreamProjector } from '../services/projections/stream-projector.ts';
import { systemClock } from '../services/system-clock.ts';
import type { Projections } from '../storage/projections.ts';
import type { Log } from '../telemetry/log.ts';
import type { ProjectionMetrics } from '../telemetry/metrics/projections.ts';

/** For how long a node that is gone keeps its streams from the others. */
export const projectionClaimSecs = 10;

export interface OpenedProjections {
  readonly desk: DeadLetterDesk;
  /** Null where nothing is projected. */
  readonly runner: ProjectionRunner | null;
}

/** What a node does with projections; its runner is not started. */
export function openProjections(
  settings: Settings,
  options: { projections: Projections; nodeId: string; log: Log; metrics: ProjectionMetrics },
): OpenedProjections {
  const { nodeId, log, metrics } = options;
  const projector = new StreamProjector({
    projections: options.projections,
    random: Math.random,
    clock: systemClock,
    observer: {
      projected: (counts, tookMs) => metrics.projected(counts, tookMs),
      deadLettersAdded: (count) => metrics.deadLettersAdded.inc(count),
      deadLetterRetried: () => metrics.deadLettersRetried.inc(),
    },
  });
  const desk = new DeadLetterDesk({
    projections: options.projections,
    projector,
    onDiscarded: () => metrics.deadLettersDiscarded.inc(),
  });
  if (!projectsEvents(settings)) return { desk, runner: null };
  const runner = new ProjectionRunner({
    projections: options.projections,
    projector,
    clock: systemClock,
    logger: log,
    claimant: nodeId,
    claimSecs: projectionClaimSecs,
    sharePercent: settings.projectionSharePercent,
    busySharePercent: settings.projectionBusySharePercent,
    isBusy: settings.projectionSharePercent === 100 ? () => false : loadMeter(),
    onFigures: (figures) => metrics.setLevels(figures),
  });
  return { desk, runner };
}

/** From here on, whoever waits for the event loop waits for longer than the work takes. */
const busyFrom = 0.5;

/** Tells whether the event loop was busy for much of the time since it was asked last. */
function loadMeter(): () => boolean {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization > busyFrom;
  };
}

/** What is projected lies in clear, so where payloads are encrypted somebody must want it. */
export function projectsEvents({
  nodeServices,
  projectionsEnabled,
  payloadEncryptionMode,
}: Settings): boolean {
  if (!nodeServices.includes('projection')) return false;
  return (
    projectionsEnabled === 'on' || (projectionsEnabled === 'auto' && payloadEncryptionMode === 'disabled')
  );
}
