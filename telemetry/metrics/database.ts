import { type Count, countBuckets, type Distribution, type Family, type SeriesRegistry } from './series.ts';

/** Connections of a pool, at the time of a scrape. */
export interface PoolSample {
  readonly max: number;
  readonly total: number;
  readonly idle: number;
  readonly active: number;
  readonly waiting: number;
}

/** An acquisition that takes longer was not found a free connection. */
const slowAcquisitionMs = 100;

/** The database as this node meets it. It is handed to storage, which tells it what it does. */
export class DatabaseMetrics {
  private readonly queries: Family<Distribution>;
  private readonly byQuery = new Map<string, Distribution>();
  private readonly appendSeconds: Distribution;
  private readonly appendEvents: Distribution;
  private readonly appendStores: Distribution;
  private readonly acquisition: Distribution;
  private readonly slowAcquisitions: Count;
  private readonly timedOutAcquisitions: Count;
  private pool: (() => PoolSample) | null = null;

  constructor(series: SeriesRegistry) {
    this.queries = series.histograms(
      'sequencer_db_query_latency_seconds',
      'From sending a statement to its answer, by the name of the statement',
      ['query'],
    );
    this.appendSeconds = series.histogram(
      'sequencer_append_duration_seconds',
      'One append statement, which holds the flushes of several stores',
    );
    this.appendEvents = series.histogram(
      'sequencer_append_events',
      'Events of one append statement',
      countBuckets,
    );
    this.appendStores = series.histogram(
      'sequencer_append_stores',
      'Stores of one append statement',
      countBuckets,
    );
    this.acquisition = series.histogram(
      'sequencer_pool_acquisition_latency_ms',
      'Waiting for a connection of the pool, in seconds despite its name, which is that of the reference',
    );
    this.slowAcquisitions = series.counter(
      'sequencer_pool_slow_acquisitions',
      `Connections of the pool that took longer than ${slowAcquisitionMs} ms to get`,
    );
    this.timedOutAcquisitions = series.counter(
      'sequencer_pool_timed_out_acquisitions',
      'Connections of the pool that were not to be had in DB_ACQUIRE_TIMEOUT_MS',
    );
    const gauge = (name: string, help: string, of: (pool: PoolSample) => number): void =>
      series.gauge(name, help, () => (this.pool === null ? null : of(this.pool())));
    gauge('sequencer_pool_active_connections', 'Connections of the pool in use', ({ active }) => active);
    gauge('sequencer_pool_idle_connections', 'Connections of the pool at rest', ({ idle }) => idle);
    gauge('sequencer_pool_total_connections', 'Connections of the pool', ({ total }) => total);
    gauge('sequencer_pool_max_connections', 'Connections that the pool may have', ({ max }) => max);
    gauge(
      'sequencer_pool_utilization',
      'Percent (a whole number from 0 to 100) of the connections that the pool may have, in use',
      ({ active, max }) => Math.round((active / max) * 100),
    );
    gauge('sequencer_db_pool_size', 'As sequencer_pool_total_connections', ({ total }) => total);
    gauge('sequencer_db_pool_idle', 'As sequencer_pool_idle_connections', ({ idle }) => idle);
    gauge(
      'sequencer_db_pool_waiting',
      'Callers that wait for a connection of the pool',
      ({ waiting }) => waiting,
    );
  }

  /** Says where to look, at every scrape, for the figures of the pool. */
  watchPool(pool: () => PoolSample): void {
    this.pool = pool;
  }

  /** @param query the name of the statement, one of a set that the source fixes */
  queried(query: string, durationMs: number): void {
    let distribution = this.byQuery.get(query);
    if (distribution === undefined) this.byQuery.set(query, (distribution = this.queries.with(query)));
    distribution.observe(durationMs / 1_000);
  }

  appended({
    events,
    stores,
    durationMs,
  }: {
    readonly events: number;
    readonly stores: number;
    readonly durationMs: number;
  }): void {
    this.appendSeconds.observe(durationMs / 1_000);
    this.appendEvents.observe(events);
    this.appendStores.observe(stores);
    this.queried('append', durationMs);
  }

  acquired(durationMs: number): void {
    this.acquisition.observe(durationMs / 1_000);
    if (durationMs > slowAcquisitionMs) this.slowAcquisitions.inc();
  }

  acquisitionTimedOut(): void {
    this.timedOutAcquisitions.inc();
  }
}
