import type { Count, Distribution, Family, SeriesRegistry } from './series.ts';

/** How the node sees its cluster. */
export interface ClusterSample {
  /** Whether what it sends to NATS arrives. */
  readonly isConnected: boolean;
  /** Nodes that live, this one included. */
  readonly nodes: number;
}

/** A role at the time of a scrape. */
export interface LeadershipSample {
  readonly role: string;
  readonly leads: boolean;
}

/** NATS and the other nodes, without NATS_URL no such series; and who does what one node does for all. */
export class ClusterMetrics {
  private readonly roundTrip: Distribution;
  private readonly leaderChanges: Family<Count>;
  private leadership: () => readonly LeadershipSample[] = () => [];
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
    series.sampled(
      {
        name: 'sequencer_leader',
        kind: 'gauge',
        labels: ['role'],
        help: '1 on the node that does the work of this role for all, 0 on the other candidates; there is none without an election',
      },
      () => this.leadership().map(({ role, leads }) => ({ labels: [role], value: Number(leads) })),
    );
    this.leaderChanges = series.counters(
      'sequencer_leader_changes',
      'How often this node began to lead (`won`), handed over (`released`) or had to stop (`lost`)',
      ['role', 'change'],
    );
  }

  /** Says where to look, at every scrape. */
  watchLeadership(leadership: () => readonly LeadershipSample[]): void {
    this.leadership = leadership;
  }

  /** @param change `won`, `released`, or `lost` without wanting to */
  leadershipChanged(role: string, change: string): void {
    this.leaderChanges.with(role, change).inc();
  }

  /** Says where to look, at every scrape. */
  watch(sample: () => ClusterSample): void {
    this.sample = sample;
  }

  roundTripTook(durationMs: number): void {
    this.roundTrip.observe(durationMs / 1_000);
  }
}
