import type { Count, Family, SeriesRegistry } from './series.ts';

/** Who got in, and what was written down of it. */
export class AccessMetrics {
  readonly auditEvents: Count;
  private readonly registrations: Family<Count>;

  constructor(series: SeriesRegistry) {
    this.registrations = series.counters(
      'sequencer_agent_registration_total',
      'Tries to register an agent, by outcome (`success`, `error`) and reason (`REGISTERED`, or the code of the error)',
      ['outcome', 'reason'],
    );
    this.auditEvents = series.counter('sequencer_audit_events_logged', 'Entries written to the audit log');
  }

  registered(outcome: 'success' | 'error', reason: string): void {
    this.registrations.with(outcome, reason).inc();
  }
}
