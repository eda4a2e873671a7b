import http from 'k6/http';
import { batch, connections, ingest, tier } from './node-under-load.js';

const pace = (share) => Math.ceil((share * tier.eventsPerSecond) / batch);

/** Up to three times the pace of a tier and back: what can't be served is refused at once, and nothing fails. */
export const options = {
  scenarios: {
    stress: {
      executor: 'ramping-arrival-rate',
      startRate: pace(0.1),
      timeUnit: '1s',
      preAllocatedVUs: connections,
      maxVUs: 10 * connections,
      stages: [
        { target: pace(1), duration: '1m' },
        { target: pace(3), duration: '2m' },
        { target: pace(3), duration: '1m' },
        { target: pace(0.5), duration: '1m' },
      ],
    },
  },
  thresholds: {
    // A 503 is an answer, and comes quickly.
    http_req_failed: ['rate==0'],
    'http_req_duration{status:503}': ['p(99)<50'],
  },
};

http.setResponseCallback(http.expectedStatuses(200, 503));

export default function () {
  ingest();
}
