import { type Count, countBuckets, type Distribution, type SeriesRegistry } from './series.ts';

/** What a client was told of the events of one request. */
export interface IngestFacts {
  readonly world: 'legacy' | 'ves';
  readonly accepted: number;
  readonly rejected: number;
  /** Signed events that were stored before and got their stored receipts. */
  readonly repeated: number;
  /** Of the rejected: for their signature or the key that it names. */
  readonly badSignatures: number;
  readonly durationMs: number;
}

/** Both ingest routes, as their clients see them; on gateways. */
export class IngestMetrics {
  private readonly received: Count;
  private readonly processed: Count;
  private readonly latency: Distribution;
  private readonly eventsPerRequest: Distribution;
  private readonly ingested: Count;
  private readonly rejected: Count;
  private readonly signatureErrors: Count;
  private readonly vesReceived: Count;
  private readonly vesVerified: Count;
  private readonly databaseErrors: Count;

  constructor(series: SeriesRegistry) {
    this.received = series.counter(
      'sequencer_batches_received',
      'Ingest requests of which the store was found',
    );
    this.processed = series.counter(
      'sequencer_batches_processed',
      'Ingest requests whose events were judged: accepted, or rejected one by one',
    );
    this.latency = series.histogram(
      'sequencer_ingest_latency_seconds',
      'Ingest requests of both worlds, from the body being read to the durable answer, other nodes included',
    );
    this.eventsPerRequest = series.histogram(
      'sequencer_request_events_per_batch',
      'Events of an ingest request',
      countBuckets,
    );
    this.ingested = series.counter('sequencer_events_ingested', 'Events that clients were told are accepted');
    this.rejected = series.counter('sequencer_events_rejected', 'Events that clients were told are rejected');
    this.signatureErrors = series.counter(
      'sequencer_errors_signature',
      'Signed events rejected for their signature, or for the agent key that it names',
    );
    this.vesReceived = series.counter(
      'sequencer_ves_events_received',
      'Signed events of requests that were judged',
    );
    this.vesVerified = series.counter('sequencer_ves_events_verified', 'Signed events accepted');
    this.databaseErrors = series.counter(
      'sequencer_errors_database',
      'Ingest calls that failed for another reason than the request: pushback, lost owners, time-outs, faults',
    );
  }

  started(): void {
    this.received.inc();
  }

  answered({ world, accepted, rejected, repeated, badSignatures, durationMs }: IngestFacts): void {
    const events = accepted + rejected + repeated;
    this.processed.inc();
    this.latency.observe(durationMs / 1_000);
    this.eventsPerRequest.observe(events);
    this.ingested.inc(accepted);
    this.rejected.inc(rejected);
    this.signatureErrors.inc(badSignatures);
    if (world === 'legacy') return;
    this.vesReceived.inc(events);
    this.vesVerified.inc(accepted);
  }

  failed({ isRefusal, durationMs }: { readonly isRefusal: boolean; readonly durationMs: number }): void {
    this.latency.observe(durationMs / 1_000);
    if (!isRefusal) this.databaseErrors.inc();
  }
}
