import CircuitBreaker from 'opossum';
import type { PointSource, PointState } from '../../storage/point-source.ts';
import type { Log } from '../../telemetry/log.ts';

export interface InsuredPointsOptions {
  readonly shared: PointSource;
  /** Counts that are always there. */
  readonly local: PointSource;
  readonly log: Pick<Log, 'warn'>;
  /** How long a request waits for the shared counts, and how long they are left alone once they failed. */
  readonly timeoutMs?: number;
  readonly pauseMs?: number;
}

/**
 * The shared counts, or those of this node while the shared ones do not answer: requests go on, and until they are back
 * each node allows the whole limit by itself. Refusing everyone would turn a trouble of the counts into an outage.
 */
export function insuredPoints(options: InsuredPointsOptions): PointSource {
  const { shared, local, log, timeoutMs = 500, pauseMs = 5_000 } = options;
  const consume = (...taken: Parameters<PointSource['consume']>): Promise<PointState> =>
    shared.consume(...taken);
  const breaker = new CircuitBreaker(consume, {
    timeout: timeoutMs,
    resetTimeout: pauseMs,
    // One failure is enough: the next would cost a request the same wait.
    errorThresholdPercentage: 1,
  });
  breaker.fallback((...taken: Parameters<PointSource['consume']>) =>
    local.consume(taken[0], taken[1], taken[2]),
  );
  breaker.on('open', () => log.warn('rate limits hold for each node alone: the shared counts do not answer'));
  return {
    isShared: true,
    consume: (key, points, windowMs) => breaker.fire(key, points, windowMs),
    forget: (key) => local.forget(key),
  };
}
