import type { SeriesRegistry } from './series.ts';

/** What a cache did since the start, and how many entries it has. */
export interface CacheFigures {
  readonly hits: number;
  readonly misses: number;
  readonly size: number;
  /** Entries that made room for others, or whose time was up. */
  readonly evictions: number;
}

/** Every cache of a node, by name; the caches count for themselves and are asked at every scrape. */
export class CacheMetrics {
  private readonly caches = new Map<string, () => CacheFigures>();

  constructor(series: SeriesRegistry) {
    const sampled = (what: keyof CacheFigures, kind: 'counter' | 'gauge', help: string): void =>
      series.sampled({ name: `sequencer_cache_${what}`, kind, labels: ['cache'], help }, () =>
        Array.from(this.caches, ([cache, figures]) => ({ labels: [cache], value: figures()[what] })),
      );
    sampled('hits', 'counter', 'Look-ups that a cache answered');
    sampled('misses', 'counter', 'Look-ups that it did not');
    sampled('size', 'gauge', 'Entries of a cache');
    sampled('evictions', 'counter', 'Entries that made room for others, or whose time was up');
  }

  /** @param cache a name from the source, never from a request */
  add(cache: string, figures: () => CacheFigures): void {
    this.caches.set(cache, figures);
  }
}
