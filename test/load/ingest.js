import { connections, duration, ingest, tier } from './node-under-load.js';
import { thresholdsOf } from './tiers.js';

/** As many appends as so many connections get through: a closed loop on each. */
export const options = {
  scenarios: { ingest: { executor: 'constant-vus', vus: connections, duration } },
  thresholds: thresholdsOf(tier),
};

export default function () {
  ingest();
}
