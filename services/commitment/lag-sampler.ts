import type { Clock } from '../../domain/clock.ts';
import type { CommitmentLag } from '../../storage/commitment-log.ts';
import type { Log } from '../../telemetry/log.ts';

export interface LagSamplerDependencies {
  readonly readLag: () => Promise<CommitmentLag>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** Told what was found; null when the database does not say. */
  readonly onLag: (lag: CommitmentLag | null) => void;
}

const pauseMs = 15_000;
/** It reads the row of every store, so it takes at most one part in so many of the time. */
const shareOfTime = 50;

/** Looks again and again how far commitments are behind, beginning now, until stopped. */
export function startLagSampler({ readLag, clock, log, onLag }: LagSamplerDependencies): { stop(): void } {
  let next: { cancel(): void } | null = null;
  let isStopped = false;
  const look = async (): Promise<void> => {
    const startedMs = clock.monotonicMs();
    try {
      onLag(await readLag());
    } catch (error) {
      log.warn({ err: error }, 'how far commitments are behind is not known');
      onLag(null);
    }
    const tookMs = clock.monotonicMs() - startedMs;
    if (!isStopped) next = clock.after(Math.max(pauseMs, tookMs * shareOfTime), () => void look());
  };
  void look();
  return {
    stop: () => {
      isStopped = true;
      next?.cancel();
    },
  };
}
