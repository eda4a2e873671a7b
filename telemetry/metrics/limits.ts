import type { CacheFigures } from './caches.ts';
import type { Count, SeriesRegistry } from './series.ts';

/** Rate limits, where some are in force. */
export class LimitMetrics {
  private readonly allowed: Count;
  private readonly rejected: Count;
  private readonly tables: (() => Pick<CacheFigures, 'size' | 'evictions'>)[] = [];

  constructor(series: SeriesRegistry) {
    this.allowed = series.counter('sequencer_ratelimit_allowed', 'Requests that a rate limit let pass');
    this.rejected = series.counter(
      'sequencer_ratelimit_rejected',
      'Requests that a rate limit refused with 429',
    );
    const sum = (of: 'size' | 'evictions'): number =>
      this.tables.reduce((total, figures) => total + figures()[of], 0);
    series.gauge('sequencer_ratelimit_entries', 'Tenants and credentials that are counted at present', () =>
      sum('size'),
    );
    series.sampled(
      {
        name: 'sequencer_ratelimit_evicted',
        kind: 'counter',
        labels: [],
        help: 'Tenants and credentials that were forgotten to make room (RATE_LIMIT_MAX_ENTRIES)',
      },
      () => [{ labels: [], value: sum('evictions') }],
    );
  }

  /** A request met a limit. */
  counted(isAllowed: boolean): void {
    (isAllowed ? this.allowed : this.rejected).inc();
  }

  /** A table of those who are counted. */
  addTable(figures: () => Pick<CacheFigures, 'size' | 'evictions'>): void {
    this.tables.push(figures);
  }
}
