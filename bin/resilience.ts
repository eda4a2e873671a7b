import type { Settings } from '../config/read-settings.ts';
import {
  CircuitBreaker,
  type CircuitFigures,
  type CircuitLimits,
  circuitLimits,
} from '../domain/resilience/circuit-breaker.ts';
import { RetryBudget } from '../domain/resilience/retries.ts';
import { systemClock } from '../services/system-clock.ts';
import { NodeCircuits } from '../services/transport/node-circuits.ts';
import type { Log } from '../telemetry/log.ts';

type CircuitSettings = Pick<Settings, 'circuitFailuresMax' | 'circuitOpenMs' | 'circuitSlowCallMs'>;
type BudgetSettings = Pick<Settings, 'retryBudgetPercent' | 'retryBudgetPerSec'>;

/** How often the pause of a circuit may be doubled, as a factor. */
const openGrowthMax = 4;

/**
 * Of what requests can't do without: the reference's numbers, but for pauses that end sooner, since nobody else answers in the
 * meantime. The replica has the reference's own, for its reads go to the primary.
 */
export function strictCircuitLimits(settings: CircuitSettings): CircuitLimits {
  const { circuitFailuresMax: failuresMax, circuitOpenMs: openMs, circuitSlowCallMs: slowMs } = settings;
  const slowCalls = slowMs === 0 ? null : { slowMs, slowMin: 10, shareMin: 0.5 };
  return { ...circuitLimits, failuresMax, openMs, openMsMax: openMs * openGrowthMax, slowCalls };
}

export function openCircuit(name: string, limits: CircuitLimits, log: Pick<Log, 'warn'>): CircuitBreaker {
  return new CircuitBreaker({ name, limits, clock: systemClock, random: Math.random, onChange: logged(log) });
}

export function openNodeCircuits(settings: CircuitSettings, log: Pick<Log, 'warn'>): NodeCircuits {
  const limits = strictCircuitLimits(settings);
  return new NodeCircuits({ limits, clock: systemClock, random: Math.random, onChange: logged(log) });
}

export function openRetryBudget({ retryBudgetPercent, retryBudgetPerSec }: BudgetSettings): RetryBudget {
  return new RetryBudget({ share: retryBudgetPercent / 100, perSecMin: retryBudgetPerSec }, systemClock);
}

function logged(log: Pick<Log, 'warn'>): (figures: CircuitFigures) => void {
  return (figures) => log.warn({ ...figures }, `the circuit "${figures.name}" is ${figures.state}`);
}
