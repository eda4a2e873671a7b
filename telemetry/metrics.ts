import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a node counts; made once, handed in, and read at `/metrics`. No label ever names a tenant, store or stream. */
export class Metrics {
  private readonly registry = new Registry();

  /** Events of both worlds that were appended. */
  readonly eventsSequenced = this.counter('sequencer_events_sequenced', 'Events appended, of both worlds');
  /** Also those that were let through, since the node only warns. */
  readonly schemaValidationErrors = this.counter(
    'sequencer_errors_schema_validation',
    'Events whose payload broke the schema of its type, or had none where one is required',
  );
  readonly commitmentsCreated = this.counter('sequencer_commitments_created', 'Commitments published');
  /** Anything but 0 means that the log contradicts itself: call a person. */
  readonly commitmentVerificationFailures = this.counter(
    'sequencer_commitment_verification_failures',
    'Commitments refused since the stored log contradicts itself; must stay 0',
  );

  /** Tries to register an agent, by what became of them. */
  readonly agentRegistrations = new Counter({
    name: 'sequencer_agent_registration_total',
    help: 'Tries to register an agent, by outcome and reason',
    labelNames: ['outcome', 'reason'],
    registers: [this.registry],
  });

  /** Of stores that another node had: from the first request taken up to its durable append. */
  readonly takeoverSeconds = new Histogram({
    name: 'sequencer_takeover_duration_seconds',
    help: 'From taking the first request of a store that another node had up to its durable append',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor(startedAtMs: number, nowMs: () => number) {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'sequencer_uptime_seconds',
      help: 'Since the node was started',
      registers: [this.registry],
      collect() {
        this.set((nowMs() - startedAtMs) / 1_000);
      },
    });
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }
}
