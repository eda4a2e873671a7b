import type { Distribution, SeriesRegistry } from './series.ts';

/** How the node sees its cluster. */
export interface ClusterSample {
  /** Whether what it sends to NATS arrives. */
  readonly isConnected: boolean;
  /** Nodes that live, this one included. */
  readonly nodes: number;
}

/** NATS and the other nodes; without NATS_URL there are no such series. */
export class ClusterMetrics {
  private readonly roundTrip: Distribution;
  private sample: (() => ClusterSample) | null = null;

  constructor(series: SeriesRegistry) {
    this.roundTrip = series.histogram(
      'sequencer_nats_round_trip_seconds',
      'A ping to the NATS server and back, measured every few seconds',
    );
    const gauge = (name: string, help: string, of: (sample: ClusterSample) => number): void =>
      series.gauge(name, help, () => (this.sample === null ? null : of(this.sample())));
    gauge(
      'sequencer_nats_connected',
      '1 while what this node sends to NATS arrives, else 0',
      ({ isConnected }) => Number(isConnected),
    );
    gauge(
      'sequencer_cluster_nodes',
      'Nodes that this one takes for living, itself included',
      ({ nodes }) => nodes,
    );
  }

  /** Says where to look, at every scrape. */
  watch(sample: () => ClusterSample): void {
    this.sample = sample;
  }

  roundTripTook(durationMs: number): void {
    this.roundTrip.observe(durationMs / 1_000);
  }
}
