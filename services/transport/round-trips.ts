import type { Clock } from '../../domain/clock.ts';
import type { NatsLink } from './nats-link.ts';

export interface RoundTripsOptions {
  readonly link: Pick<NatsLink, 'roundTripMs'>;
  readonly clock: Clock;
  readonly onRoundTrip: (durationMs: number) => void;
}

const everyMs = 5_000;

/** Pings the NATS server every few seconds until stopped. What gets no answer is not measured: the link says so itself. */
export function startRoundTrips({ link, clock, onRoundTrip }: RoundTripsOptions): { stop(): void } {
  let isStopped = false;
  let next: { cancel(): void } | null = null;
  const measure = async (): Promise<void> => {
    const durationMs = await link.roundTripMs();
    if (isStopped) return;
    if (durationMs !== null) onRoundTrip(durationMs);
    next = clock.after(everyMs, () => void measure());
  };
  void measure();
  return {
    stop: () => {
      isStopped = true;
      next?.cancel();
    },
  };
}
