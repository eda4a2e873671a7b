import { batch, connections, duration, ingest, tier } from './node-under-load.js';
import { thresholdsOf } from './tiers.js';

/** The pace of a tier, whether or not what went before is answered; DURATION=1h looks for what grows. */
export const options = {
  scenarios: {
    sustained: {
      executor: 'constant-arrival-rate',
      rate: Math.ceil(tier.eventsPerSecond / batch),
      timeUnit: '1s',
      duration,
      preAllocatedVUs: connections,
      maxVUs: 4 * connections,
    },
  },
  thresholds: { ...thresholdsOf(tier), dropped_iterations: ['count==0'] },
};

export default function () {
  ingest();
}
