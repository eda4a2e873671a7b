import { byteBuckets, type Count, type Distribution, type Family, type SeriesRegistry } from './series.ts';

/** A request that got its answer. */
export interface AnsweredRequest {
  readonly method: string;
  /** As the route table writes it, with `:name` for parameters; null when no route has the path. */
  readonly template: string | null;
  readonly status: number;
  readonly durationMs: number;
  /** Of the request's body, as far as it was read. */
  readonly requestBytes: number;
  /** Of the answer's body, as it was sent. */
  readonly responseBytes: number;
}

/** What the HTTP server holds. */
export interface HttpHoldings {
  readonly connections: number;
  readonly bytesInFlight: number;
  readonly bytesInFlightMax: number;
}

interface RouteSeries {
  readonly requests: Count;
  readonly latency: Distribution;
}

/** Of `path`, for every path without a route: what clients make up must not make series. */
export const unmatchedPath = 'unmatched';

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const notAuthenticated = new Set([401, 403]);
const notValid = new Set([400, 413, 414, 415, 422, 431]);

/** Requests as the gateway answered them; connections and bytes that it holds. */
export class HttpMetrics {
  private readonly requests: Family<Count>;
  private readonly latency: Family<Distribution>;
  private readonly requestBytes: Distribution;
  private readonly responseBytes: Distribution;
  private readonly authErrors: Count;
  private readonly validationErrors: Count;
  /** By template, method and status, so that a request costs no text of its own. */
  private readonly routes = new Map<string, Map<string, RouteSeries[]>>();
  private holdings: (() => HttpHoldings) | null = null;

  constructor(series: SeriesRegistry) {
    const labels = ['method', 'path', 'status'];
    this.requests = series.counters(
      'sequencer_http_requests_total',
      'Requests answered, by method, route template and status',
      labels,
    );
    this.latency = series.histograms(
      'sequencer_http_request_latency_seconds',
      'From the request line being read to the answer being written',
      labels,
    );
    this.requestBytes = series.histogram(
      'sequencer_request_body_size_bytes',
      'Bodies of requests that have one, as far as they were read',
      byteBuckets,
    );
    this.responseBytes = series.histogram(
      'sequencer_http_response_size_bytes',
      'Bodies of answers, as they were sent (compressed, where they are)',
      byteBuckets,
    );
    this.authErrors = series.counter('sequencer_errors_auth', 'Requests answered with 401 or 403');
    this.validationErrors = series.counter(
      'sequencer_errors_validation',
      'Requests answered with 400, 413, 414, 415, 422 or 431',
    );
    series.gauge('sequencer_connections_active', 'HTTP connections that are open', () =>
      this.held('connections'),
    );
    series.gauge('sequencer_bytes_in_flight', 'Request bytes admitted and not yet answered', () =>
      this.held('bytesInFlight'),
    );
    series.gauge(
      'sequencer_bytes_in_flight_max',
      'Request bytes that may be in flight: beyond it requests get 503',
      () => this.held('bytesInFlightMax'),
    );
  }

  /** Says where to look, at every scrape, for what the server holds. */
  watch(holdings: () => HttpHoldings): void {
    this.holdings = holdings;
  }

  answered({ method, template, status, durationMs, requestBytes, responseBytes }: AnsweredRequest): void {
    const route = this.seriesOf(template ?? unmatchedPath, method, status);
    route.requests.inc();
    route.latency.observe(durationMs / 1_000);
    if (requestBytes > 0) this.requestBytes.observe(requestBytes);
    this.responseBytes.observe(responseBytes);
    if (status < 400) return;
    if (notAuthenticated.has(status)) this.authErrors.inc();
    else if (notValid.has(status)) this.validationErrors.inc();
  }

  private seriesOf(path: string, givenMethod: string, status: number): RouteSeries {
    const method = methods.has(givenMethod) ? givenMethod : 'other';
    let byMethod = this.routes.get(path);
    if (byMethod === undefined) this.routes.set(path, (byMethod = new Map<string, RouteSeries[]>()));
    let byStatus = byMethod.get(method);
    if (byStatus === undefined) byMethod.set(method, (byStatus = []));
    return (byStatus[status] ??= {
      requests: this.requests.with(method, path, String(status)),
      latency: this.latency.with(method, path, String(status)),
    });
  }

  private held(what: keyof HttpHoldings): number | null {
    return this.holdings?.()[what] ?? null;
  }
}
