import { type Count, countBuckets, type Distribution, type SeriesRegistry } from './series.ts';

/** One group commit of one store. */
export interface FlushSample {
  readonly requests: number;
  readonly events: number;
  /** From taking the requests up to the append's end. */
  readonly durationMs: number;
  /** How long the oldest of its requests had waited in the mailbox. */
  readonly ageMs: number;
}

/** What the actors of a node hold. */
export interface ActorTotals {
  readonly storesOwned: number;
  readonly requestsWaiting: number;
}

/** Owners at work: their flushes, claims and fences. */
export class SequencingMetrics {
  readonly claims: Count;
  readonly fenced: Count;
  readonly schemaErrors: Count;
  private readonly takeoverSeconds: Distribution;
  private readonly sequenced: Count;
  private readonly latency: Distribution;
  private readonly flushAge: Distribution;
  private readonly batchRequests: Distribution;
  private readonly batchEvents: Distribution;
  private readonly signatureSeconds: Distribution;
  private readonly signaturesChecked: Count;
  private totals: (() => ActorTotals) | null = null;
  private rolledBackStores: (() => number | null) | null = null;

  constructor(series: SeriesRegistry) {
    this.sequenced = series.counter('sequencer_events_sequenced', 'Events appended, of both worlds');
    this.latency = series.histogram(
      'sequencer_sequence_latency_seconds',
      'A flush of one store, from taking its requests to the durable append, a claim before it included',
    );
    this.flushAge = series.histogram(
      'sequencer_flush_age_seconds',
      'How long the oldest request of a flush had waited in its mailbox',
    );
    this.batchRequests = series.histogram(
      'sequencer_batch_requests',
      'Requests of a flush of one store',
      countBuckets,
    );
    this.batchEvents = series.histogram(
      'sequencer_batch_events',
      'Events that a flush of one store appended',
      countBuckets,
    );
    this.claims = series.counter('sequencer_claims', 'Stores claimed, again or for the first time');
    this.fenced = series.counter('sequencer_fenced', 'Stores lost to another node, which claimed them');
    this.takeoverSeconds = series.histogram(
      'sequencer_takeover_duration_seconds',
      'From taking the first request of a store that another node had up to its durable append',
    );
    this.schemaErrors = series.counter(
      'sequencer_errors_schema_validation',
      'Events whose payload broke the schema of its type, or had none where one is required, rejected or only warned of',
    );
    this.signatureSeconds = series.histogram(
      'sequencer_signature_check_duration_seconds',
      'Checking the signatures of one request, the wait for a turn included',
    );
    this.signaturesChecked = series.counter(
      'sequencer_signatures_checked',
      'Signed events whose signature was checked',
    );
    series.gauge(
      'sequencer_streams_owned',
      'Stores with a claim of this node',
      () => this.totals?.().storesOwned ?? null,
    );
    series.gauge(
      'sequencer_mailbox_requests',
      'Requests that wait in mailboxes',
      () => this.totals?.().requestsWaiting ?? null,
    );
    series.gauge(
      'sequencer_stores_rolled_back',
      'Stores of the whole cluster closed to appends, since the log lacks events that were acknowledged; must stay 0',
      () => this.rolledBackStores?.() ?? null,
    );
  }

  /** Says where to look, at every scrape, for what the actors hold. */
  watch(totals: () => ActorTotals): void {
    this.totals = totals;
  }

  /** The same for the stores that nothing is appended to; null while that is not known. */
  watchRolledBackStores(stores: () => number | null): void {
    this.rolledBackStores = stores;
  }

  flushed({ requests, events, durationMs, ageMs }: FlushSample): void {
    this.sequenced.inc(events);
    this.latency.observe(durationMs / 1_000);
    this.flushAge.observe(ageMs / 1_000);
    this.batchRequests.observe(requests);
    this.batchEvents.observe(events);
  }

  tookOver(durationMs: number): void {
    this.takeoverSeconds.observe(durationMs / 1_000);
  }

  signaturesDone(count: number, durationMs: number): void {
    this.signaturesChecked.inc(count);
    this.signatureSeconds.observe(durationMs / 1_000);
  }
}
