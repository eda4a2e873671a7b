import type { Count, Distribution, Family, Sample, SeriesRegistry } from './series.ts';

/** One circuit breaker, at the time of a scrape. */
export interface CircuitSample {
  readonly name: string;
  readonly state: 'closed' | 'half_open' | 'open';
  readonly successes: number;
  readonly failures: number;
  readonly rejected: number;
  readonly timesOpened: number;
}

/** Told of what is tried again. */
export interface RetryCounter {
  retried(): void;
  ended(outcome: 'succeeded' | 'failed' | 'exhausted', durationMs: number): void;
}

/** A replica, at the time of a scrape. */
export interface ReplicaSample {
  readonly isFit: boolean;
  readonly lagSecs: number | null;
}

const stateNumbers = { closed: 0, half_open: 1, open: 2 } as const;

/** What keeps the node going while something that it needs does not. */
export class ResilienceMetrics {
  private readonly replicaReads: Family<Count>;
  private readonly shedRequests: Count;
  private readonly retryAttempts: Family<Count>;
  private readonly retryEnds: Record<'succeeded' | 'failed' | 'exhausted', Family<Count>>;
  private readonly retrySeconds: Family<Distribution>;
  private isShedding = false;
  private replica: () => ReplicaSample | null = () => null;
  private circuits: () => readonly CircuitSample[] = () => [];

  constructor(series: SeriesRegistry) {
    const labels = ['circuit'];
    const of =
      (value: (circuit: CircuitSample) => number): (() => Sample[]) =>
      () =>
        this.circuits().map((circuit) => ({ labels: [circuit.name], value: value(circuit) }));
    series.sampled(
      {
        name: 'sequencer_circuit_breaker_state',
        kind: 'gauge',
        labels,
        help: '0 closed, 1 half open, 2 open',
      },
      of(({ state }) => stateNumbers[state]),
    );
    const counter = (name: string, help: string, value: (circuit: CircuitSample) => number): void =>
      series.sampled({ name, kind: 'counter', labels, help }, of(value));
    counter('sequencer_circuit_breaker_successes', 'Calls that were answered', ({ successes }) => successes);
    counter(
      'sequencer_circuit_breaker_failures',
      'Calls that found the other side broken',
      ({ failures }) => failures,
    );
    counter(
      'sequencer_circuit_breaker_rejections',
      'Calls not made, since the circuit was open',
      ({ rejected }) => rejected,
    );
    counter(
      'sequencer_circuit_breaker_opened',
      'How often it opened, be it again after probes that failed',
      ({ timesOpened }) => timesOpened,
    );
    const operation = ['operation'];
    this.retryAttempts = series.counters(
      'sequencer_retry_attempts',
      'Tries after the first: `append` of a request at the owner of its store, `read` of Postgres',
      operation,
    );
    this.retryEnds = {
      succeeded: series.counters(
        'sequencer_retry_successes',
        'Operations that succeeded at a try after the first',
        operation,
      ),
      failed: series.counters(
        'sequencer_retry_failures',
        'Operations that were tried again and then failed with what is not tried again',
        operation,
      ),
      exhausted: series.counters(
        'sequencer_retry_exhausted',
        'Operations that were given up since their tries, their time or the budget of all retries was used up',
        operation,
      ),
    };
    this.retrySeconds = series.histograms(
      'sequencer_retry_latency_seconds',
      'Operations that needed more than one try, or had no more, from the first try to the outcome',
      operation,
    );
    series.gauge('sequencer_pool_shedding', '1 while requests are turned away for the pool, else 0', () =>
      Number(this.isShedding),
    );
    this.shedRequests = series.counter(
      'sequencer_pool_shed_requests',
      'Requests answered 503 pool_exhausted, since whoever came would have waited too long for a connection',
    );
    this.replicaReads = series.counters(
      'sequencer_replica_reads',
      'Reads offered to the replica; all that it did not answer in full went to the primary',
      ['outcome'],
    );
    series.gauge(
      'sequencer_replica_usable',
      '1 while reads go to the replica, 0 while all go to the primary; there is none without READ_DATABASE_URL',
      () => {
        const replica = this.replica();
        return replica === null ? null : Number(replica.isFit);
      },
    );
    series.gauge(
      'sequencer_replica_lag_seconds',
      'For how long the replica has lacked something that the primary has, looked at each second; there is none while it is not usable',
      () => this.replica()?.lagSecs ?? null,
    );
  }

  /** Says where to look, at every scrape. */
  watchCircuits(circuits: () => readonly CircuitSample[]): void {
    this.circuits = circuits;
  }

  /** The same for the replica; null where there is none. */
  watchReplica(replica: () => ReplicaSample | null): void {
    this.replica = replica;
  }

  /** @param operation one of few */
  retriesOf(operation: string): RetryCounter {
    return {
      retried: () => this.retryAttempts.with(operation).inc(),
      ended: (outcome, durationMs) => {
        this.retryEnds[outcome].with(operation).inc();
        this.retrySeconds.with(operation).observe(durationMs / 1_000);
      },
    };
  }

  shedding(isShedding: boolean): void {
    this.isShedding = isShedding;
  }

  shed(): void {
    this.shedRequests.inc();
  }

  replicaRead(outcome: string): void {
    this.replicaReads.with(outcome).inc();
  }
}
