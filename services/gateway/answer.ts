import { InvariantBroken, Refused } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { readError } from '../broker-errors.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Admission, Reservation } from './admission.ts';
import type { Authenticate } from './authenticate.ts';
import {
  adminAddressRefusal,
  authFailureReply,
  type ErrorForm,
  errorReply,
  poolExhaustedReply,
  rateLimitedReply,
  rateLimitHeaders,
  timeoutReply,
} from './error-reply.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayObserver } from './gateway-observer.ts';
import type { AuthenticateScraper } from './metrics-token.ts';
import { readQuery } from './query.ts';
import { emptyReply, type Reply } from './reply.ts';
import type { Route, RouteRequest } from './route.ts';

export interface AnswerDependencies {
  readonly authenticate: Authenticate;
  /** Asked first on routes that take METRICS_TOKEN. */
  readonly authenticateScraper: AuthenticateScraper;
  /** Whether an address may reach what only administrators should. */
  readonly isAdminAddress: (address: string) => boolean;
  /** Whether the database has more to do than it can, so that nobody who needs it is let in. */
  readonly isShedding: () => boolean;
  readonly limits: RequestLimits;
  readonly admission: Admission;
  readonly observer: GatewayObserver;
  readonly log: Log;
}

/** What to do once the path is known: a route's handler, or the refusal of every other method of its path. */
export type Endpoint =
  | { readonly kind: 'route'; readonly route: Route }
  | {
      readonly kind: 'wrong method';
      readonly path: string;
      readonly access: Route['access'];
      readonly audience: Route['audience'];
      readonly errors: ErrorForm;
      readonly allow: string;
    };

/** The path's parts by parameter name, as sent. */
export type PathParameters = Readonly<Record<string, string>>;

export type Answer = (endpoint: Endpoint, exchange: Exchange, parameters: PathParameters) => Promise<void>;

/**
 * Takes one exchange from its route to its reply: authenticate, then what the endpoint says, within the request's time.
 * Every failure becomes a reply in the route's form, so the promise never rejects.
 */
export function answerWith(deps: AnswerDependencies): Answer {
  return async (endpoint, exchange, parameters) => {
    const { errors: form, path } = endpoint.kind === 'route' ? endpoint.route : endpoint;
    exchange.template = path;
    const reservation = deps.admission.open();
    const timer = setTimeout(() => exchange.reply(timeoutReply(form)), exchange.timeLeftMs()).unref();
    try {
      exchange.reply(await answer(deps, endpoint, exchange, parameters, reservation));
    } catch (error) {
      report(deps.log, error, { requestId: exchange.requestId, path });
      exchange.reply(errorReply(error, form));
    } finally {
      clearTimeout(timer);
      // Not when the connection closes alone: until now the handler may have held the body.
      void exchange.closed().then(() => reservation.release());
    }
  };
}

async function answer(
  { authenticate, authenticateScraper, isAdminAddress, isShedding, limits, observer }: AnswerDependencies,
  endpoint: Endpoint,
  exchange: Exchange,
  parameters: PathParameters,
  reservation: Reservation,
): Promise<Reply> {
  const { access, audience } = endpoint.kind === 'route' ? endpoint.route : endpoint;
  if (audience === 'admin' && !isAdminAddress(exchange.clientAddress())) return adminAddressRefusal();
  const protectedRoute =
    endpoint.kind === 'route' && endpoint.route.access === 'protected' ? endpoint.route : null;
  if (access === 'protected' && protectedRoute?.observes !== true && isShedding()) {
    observer.shed();
    return poolExhaustedReply();
  }
  const { headers } = exchange.req;
  const scraper = protectedRoute?.takesMetricsToken === true ? authenticateScraper(headers) : null;
  const authentication = access === 'protected' ? (scraper ?? (await authenticate(headers))) : null;
  if (authentication?.principal === null) return authFailureReply(authentication.failure);
  if (authentication !== null) {
    const { tenantId } = authentication.principal;
    exchange.caller = { tenantId, provedBy: authentication.provedBy };
    // Limits are counted in Postgres, which a scrape must not wait for.
    const counted = scraper === null ? limits(authentication) : null;
    const verdict = counted instanceof Promise ? await counted : counted;
    if (verdict !== null) {
      exchange.addHeaders(rateLimitHeaders(verdict));
      observer.limited(verdict.isAllowed);
    }
    if (verdict?.isAllowed === false) return rateLimitedReply(verdict);
    reservation.chargeTo(tenantId);
  }
  if (endpoint.kind === 'wrong method') return emptyReply(405, { allow: endpoint.allow });
  const request = routeRequest(exchange, parameters, reservation);
  const { route } = endpoint;
  if (route.access === 'public') return route.handle(request);
  if (authentication === null) throw new InvariantBroken('a protected route was reached without a principal');
  const { principal, provedBy } = authentication;
  return route.handle({ ...request, principal, provedBy });
}

function routeRequest(
  exchange: Exchange,
  parameters: PathParameters,
  reservation: Reservation,
): RouteRequest {
  return {
    requestId: exchange.requestId,
    traceparent: exchange.traceparent,
    clientAddress: () => exchange.clientAddress(),
    userAgent: () => exchange.userAgent(),
    pathParameter: (name) => decodePathParameter(name, parameters[name] ?? ''),
    query: () => readQuery(exchange.search),
    readBody: () => exchange.readBody(reservation),
    reserve: (bytes) => reservation.grow(bytes),
    timeLeftMs: () => exchange.timeLeftMs(),
  };
}

function decodePathParameter(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refused('INVALID_QUERY', `the path parameter ${name} is not percent-encoded UTF-8`);
  }
}

/** What an operator should see; refusals are the caller's business, and pushback is for who looks for its cause. */
function report(log: Log, error: unknown, facts: Readonly<Record<string, unknown>>): void {
  const { kind = null, code, message } = readError(error) ?? {};
  if (kind === 'corrupt' || kind === null) log.error({ ...facts, err: error }, 'a request failed');
  else if (kind === 'unknown') log.warn({ ...facts, err: error }, 'a request got no answer in time');
  else if (kind === 'pushback') log.debug({ ...facts, code }, `a request was pushed back: ${message}`);
}
