import { collectDefaultMetrics, Registry } from 'prom-client';
import { AccessMetrics } from './metrics/access.ts';
import { CacheMetrics } from './metrics/caches.ts';
import { ClusterMetrics } from './metrics/cluster.ts';
import { CommitmentMetrics } from './metrics/commitments.ts';
import { DatabaseMetrics } from './metrics/database.ts';
import { HttpMetrics } from './metrics/http.ts';
import { IngestMetrics } from './metrics/ingest.ts';
import { LimitMetrics } from './metrics/limits.ts';
import { ResilienceMetrics } from './metrics/resilience.ts';
import { ProjectionMetrics } from './metrics/projections.ts';
import { SequencingMetrics } from './metrics/sequencing.ts';
import { type SeriesFacts, SeriesRegistry } from './metrics/series.ts';

/**
 * What a node counts; made once, handed in, and read at `/metrics`. No label ever names a tenant, store or stream.
 *
 * Each area is a file in metrics/ with a class that is handed, as an observer, to those who do the work: a new area is
 * such a class, a property here and a line in `areas`.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly series: SeriesRegistry;

  readonly http: HttpMetrics;
  readonly ingest: IngestMetrics;
  readonly sequencing: SequencingMetrics;
  readonly commitments: CommitmentMetrics;
  readonly database: DatabaseMetrics;
  readonly caches: CacheMetrics;
  readonly limits: LimitMetrics;
  readonly access: AccessMetrics;
  readonly cluster: ClusterMetrics;
  readonly resilience: ResilienceMetrics;
  readonly projections: ProjectionMetrics;

  /** The names of each area, for the documentation. */
  readonly areas: readonly { readonly title: string; readonly series: readonly SeriesFacts[] }[];

  constructor(startedAtMs: number, nowMs: () => number) {
    // Of the process: memory, processor time, file descriptors, garbage collection and the delay of the event loop.
    collectDefaultMetrics({ register: this.registry });
    this.series = new SeriesRegistry(this.registry);
    const areas: { title: string; series: readonly SeriesFacts[] }[] = [];
    const area = <Area>(title: string, open: (series: SeriesRegistry) => Area): Area => {
      const before = areas.length === 0 ? 0 : this.series.facts.length;
      const opened = open(this.series);
      areas.push({ title, series: this.series.facts.slice(before) });
      return opened;
    };
    area('The node', (series) =>
      series.gauge(
        'sequencer_uptime_seconds',
        'Since the node was started',
        () => (nowMs() - startedAtMs) / 1_000,
      ),
    );
    this.http = area('HTTP', (series) => new HttpMetrics(series));
    this.ingest = area('Ingest', (series) => new IngestMetrics(series));
    this.sequencing = area('Sequencing', (series) => new SequencingMetrics(series));
    this.database = area('Database', (series) => new DatabaseMetrics(series));
    this.commitments = area('Commitments and proofs', (series) => new CommitmentMetrics(series));
    this.caches = area('Caches', (series) => new CacheMetrics(series));
    this.limits = area('Rate limits', (series) => new LimitMetrics(series));
    this.access = area('Access and audit', (series) => new AccessMetrics(series));
    this.cluster = area('Cluster', (series) => new ClusterMetrics(series));
    this.resilience = area('Resilience', (series) => new ResilienceMetrics(series));
    this.projections = area('Projections', (series) => new ProjectionMetrics(series));
    this.areas = areas;
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
