import type { Count, Distribution, SeriesRegistry } from './series.ts';

/** Of the whole database, as this node saw it last. */
export interface ProjectionLevels {
  /** Of the stream that is furthest behind, in events. */
  readonly lagMax: number;
  /** Streams that stand still, and for how long the one of them has that does so for longest. */
  readonly stalled: number;
  readonly stalledSecsMax: number;
  readonly pending: number;
  readonly failed: number;
  readonly due: number;
}

/** What a node counts of projections and dead letters. */
export class ProjectionMetrics {
  readonly deadLettersAdded: Count;
  readonly deadLettersRetried: Count;
  readonly deadLettersDiscarded: Count;
  readonly refusalsDeleted: Count;
  private readonly events: Count;
  private readonly skipped: Count;
  private readonly seconds: Distribution;
  private levels: ProjectionLevels | null = null;

  constructor(series: SeriesRegistry) {
    this.events = series.counter('sequencer_events_projected', 'Events applied to a projection by this node');
    this.skipped = series.counter(
      'sequencer_events_projection_skipped',
      'Events that this node came to and that no projection is made of',
    );
    this.seconds = series.histogram(
      'sequencer_project_latency_seconds',
      'Projecting up to 100 events of a stream, from reading them up to their checkpoint',
    );
    this.deadLettersAdded = series.counter(
      'sequencer_dlq_added',
      'Events that projections on this node refused',
    );
    this.deadLettersRetried = series.counter(
      'sequencer_dlq_retried',
      'Tries of dead letters after the first',
    );
    this.deadLettersDiscarded = series.counter(
      'sequencer_dlq_discarded',
      'Dead letters that someone discarded',
    );
    this.refusalsDeleted = series.counter(
      'sequencer_rejected_events_deleted',
      'Records of refused events that this node deleted for their age',
    );
    const gauge = (name: string, help: string, level: (levels: ProjectionLevels) => number) =>
      series.gauge(name, `${help}; the same on every node that projects`, () =>
        this.levels === null ? null : level(this.levels),
      );
    gauge(
      'sequencer_projection_lag_events',
      'Events not projected yet, of the stream that is furthest behind',
      ({ lagMax }) => lagMax,
    );
    gauge(
      'sequencer_projection_stalled_streams',
      'Streams that stand still: their next event has waited for five minutes, and nothing of them was projected meanwhile',
      ({ stalled }) => stalled,
    );
    gauge(
      'sequencer_projection_stalled_seconds',
      'For how long the stream has waited that has stood still for longest, 0 while none does',
      ({ stalledSecsMax }) => stalledSecsMax,
    );
    gauge(
      'sequencer_dlq_size',
      'Dead letters that are not resolved',
      ({ pending, failed }) => pending + failed,
    );
    gauge('sequencer_dlq_pending', 'Dead letters that will be tried again', ({ pending }) => pending);
    gauge('sequencer_dlq_failed', 'Dead letters that wait for a person', ({ failed }) => failed);
    gauge('sequencer_dlq_due_for_retry', 'Dead letters whose time has come', ({ due }) => due);
  }

  projected(
    { applied, skipped }: { readonly applied: number; readonly skipped: number },
    tookMs: number,
  ): void {
    this.events.inc(applied);
    this.skipped.inc(skipped);
    this.seconds.observe(tookMs / 1_000);
  }

  /** Levels are asked of the database now and then, not at every scrape. */
  setLevels(levels: ProjectionLevels): void {
    this.levels = levels;
  }
}
