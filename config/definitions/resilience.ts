import { integer } from '../definition.ts';

/** How a node spares what is broken, and those who would wait for it. */
export const resilienceDefinitions = {
  circuitFailuresMax: integer({
    env: 'CIRCUIT_FAILURES_MAX',
    default: 5,
    min: 1,
    max: 1_000,
    unit: 'calls',
    why: 'after so many failures in a row, within a minute, Postgres (its pool and its appends apart) or another node is not asked for CIRCUIT_OPEN_MS, and what needs it gets 503 at once; nothing that was sent is ever cut short',
  }),
  circuitOpenMs: integer({
    env: 'CIRCUIT_OPEN_MS',
    default: 500,
    min: 50,
    max: 600_000,
    unit: 'milliseconds',
    why: 'the pause before calls are let through again, three at a time; doubled while they fail, up to four times this. Longer spares what is broken more, and keeps clients out for longer after it is back',
  }),
  circuitSlowCallMs: integer({
    env: 'CIRCUIT_SLOW_CALL_MS',
    default: 0,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    why: 'calls that take this long count as slow, and ten of them in a minute, if they are half of the calls, open the circuit as failures do; 0 is never for slowness alone',
  }),
  retryBudgetPercent: integer({
    env: 'RETRY_BUDGET_PERCENT',
    default: 20,
    min: 0,
    max: 1_000,
    unit: 'per cent',
    why: 'retries inside the cluster that a node makes for each hundred requests or reads, beside RETRY_BUDGET_PER_SEC; beyond both, the client gets the failure and tries again itself',
  }),
  retryBudgetPerSec: integer({
    env: 'RETRY_BUDGET_PER_SEC',
    default: 200,
    min: 1,
    max: 1_000_000,
    unit: 'retries a second',
    why: 'retries that there are for whatever the requests, so that a takeover in quiet times is bridged; ten seconds of them are saved up. More bridges larger takeovers, and puts more load on what is coming back',
  }),
};
