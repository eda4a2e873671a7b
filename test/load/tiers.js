/** The service tiers, as docs and the performance report have them: events a second, and P50, P95 and P99 of ingest in ms. */
export const tiers = {
  production: { eventsPerSecond: 5_000, ingestMs: [10, 50, 100] },
  enterprise: { eventsPerSecond: 10_000, ingestMs: [8, 40, 80] },
  dedicated: { eventsPerSecond: 25_000, ingestMs: [5, 25, 50] },
};

/** What k6 holds the requests that append against. */
export function thresholdsOf({ ingestMs: [p50, p95, p99] }) {
  return {
    'http_req_duration{kind:ingest}': [`p(50)<=${p50}`, `p(95)<=${p95}`, `p(99)<=${p99}`],
    'http_req_failed{kind:ingest}': ['rate<0.001'],
    checks: ['rate>0.999'],
  };
}
