import { type Count, type Distribution, type SeriesRegistry } from './series.ts';

/** What is appended and not committed, over all stores. */
export interface CommitmentLag {
  /** Sum of the heads of all streams. */
  readonly events: number;
  readonly uncommittedEvents: number;
  /** Of the stream that has most. */
  readonly uncommittedEventsMax: number;
  /** Age of the oldest uncommitted event; 0 when everything is committed. */
  readonly oldestSecs: number;
}

/** When commitments are made unasked; null for what does not make any. */
export interface AutomaticCommitmentsSample {
  readonly everyEvents: number | null;
  readonly everySecs: number | null;
}

const depthBuckets = [0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32];
const proofBuckets = [32, 64, 128, 256, 320, 384, 448, 512, 640, 768, 1_024];

/** Commitments made, proofs handed out, and how far commitments are behind. */
export class CommitmentMetrics {
  readonly created: Count;
  readonly anchored: Count;
  readonly verificationFailures: Count;
  private readonly verified: Count;
  private readonly commitLatency: Distribution;
  private readonly proofLatency: Distribution;
  private readonly vesDepth: Distribution;
  private readonly vesProofBytes: Distribution;
  private automatic: AutomaticCommitmentsSample = { everyEvents: null, everySecs: null };
  /** As last looked at; null on nodes that do not look, and while that fails. */
  private lag: CommitmentLag | null = null;

  constructor(series: SeriesRegistry) {
    this.created = series.counter('sequencer_commitments_created', 'Commitments made and durable');
    this.verified = series.counter(
      'sequencer_commitments_verified',
      'Commitments whose root came out the same a second way, from the events as they are stored, before anyone saw it',
    );
    this.anchored = series.counter(
      'sequencer_commitments_anchored',
      'Commitments recorded as standing on a chain',
    );
    this.verificationFailures = series.counter(
      'sequencer_commitment_verification_failures',
      'Commitments refused since the stored log contradicts itself; must stay 0',
    );
    this.commitLatency = series.histogram(
      'sequencer_commit_latency_seconds',
      'Making a commitment, from its turn to its being durable; up to 4,096 signed events from being asked for',
    );
    this.proofLatency = series.histogram(
      'sequencer_proof_latency_seconds',
      'Finding an inclusion proof, cached or not',
    );
    this.vesDepth = series.histogram(
      'sequencer_ves_merkle_tree_depth',
      'Levels above the leaves, of commitments of signed events',
      depthBuckets,
    );
    this.vesProofBytes = series.histogram(
      'sequencer_ves_proof_size_bytes',
      'Sibling hashes of inclusion proofs of signed events',
      proofBuckets,
    );
    const lag = (name: string, help: string, of: (lag: CommitmentLag) => number): void =>
      series.gauge(name, help, () => (this.lag === null ? null : of(this.lag)));
    lag(
      'sequencer_head_sequence',
      'Events of all streams together, by their heads; of the database',
      ({ events }) => events,
    );
    lag(
      'sequencer_commitment_lag_events',
      'Events of all streams that no commitment covers yet; of the database',
      ({ uncommittedEvents }) => uncommittedEvents,
    );
    lag(
      'sequencer_commitment_lag_events_max',
      'The same, of the stream that has most; of the database',
      ({ uncommittedEventsMax }) => uncommittedEventsMax,
    );
    lag(
      'sequencer_commitment_lag_seconds',
      'Age of the oldest event that no commitment covers; of the database, looked at every 15 seconds at most',
      ({ oldestSecs }) => oldestSecs,
    );
    series.gauge(
      'sequencer_commitment_every_seconds',
      'COMMITMENT_EVERY_SECS of a node that makes commitments; there is none where time makes none',
      () => this.automatic.everySecs,
    );
    series.gauge(
      'sequencer_commitment_every_events',
      'COMMITMENT_EVERY_EVENTS of a node that makes commitments; there is none where their number makes none',
      () => this.automatic.everyEvents,
    );
  }

  setAutomatic(automatic: AutomaticCommitmentsSample): void {
    this.automatic = automatic;
  }

  /** Bound, since it is handed on by itself. */
  readonly setLag = (lag: CommitmentLag | null): void => {
    this.lag = lag;
  };

  made({
    world,
    depth,
    durationMs,
  }: {
    readonly world: 'legacy' | 'ves';
    readonly depth: number;
    readonly durationMs: number;
  }): void {
    this.created.inc();
    this.verified.inc();
    this.commitLatency.observe(durationMs / 1_000);
    if (world === 'ves') this.vesDepth.observe(depth);
  }

  proved({
    world,
    siblings,
    durationMs,
  }: {
    readonly world: 'legacy' | 'ves';
    readonly siblings: number;
    readonly durationMs: number;
  }): void {
    this.proofLatency.observe(durationMs / 1_000);
    if (world === 'ves') this.vesProofBytes.observe(siblings * 32);
  }
}
