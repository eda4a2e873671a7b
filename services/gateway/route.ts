import type { Principal } from '../../domain/access.ts';
import type { ProofKind } from './authenticate.ts';
import type { ErrorForm } from './error-reply.ts';
import type { RouteDescription } from './openapi/description.ts';
import type { Query } from './query.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface RouteFacts {
  readonly method: Method;
  /** A part that begins with a colon is a parameter: it takes one part of the path, of any content. Braces: or without. */
  readonly path: string;
  /** How what goes wrong on this route is worded. */
  readonly errors: ErrorForm;
  /** `admin`: only for addresses in ADMIN_IP_ALLOWLIST, which is checked before anything else. Unset: for everyone. */
  readonly audience?: 'admin';
  /** What `/openapi.json` says of it. */
  readonly description: RouteDescription;
}

/** Answers whoever asks. */
export interface PublicRoute extends RouteFacts {
  readonly access: 'public';
  handle(request: RouteRequest): Reply | Promise<Reply>;
}

/** Answers those who prove who they are; what they may do is for the handler to check. */
export interface ProtectedRoute extends RouteFacts {
  readonly access: 'protected';
  /** It tells how the node is, so it answers also while others are turned away. */
  readonly observes?: true;
  /** Answers METRICS_TOKEN as well, which no other route takes. */
  readonly takesMetricsToken?: true;
  handle(request: ProtectedRequest): Reply | Promise<Reply>;
}

/** One line of the route table, from which paths, methods, `Allow` and HEAD follow. */
export type Route = PublicRoute | ProtectedRoute;

/** What a handler may know of a request. */
export interface RouteRequest {
  /** As the caller sees it in `x-request-id`; callers may repeat it, so it names nothing inside. */
  readonly requestId: string;
  /** Names the request in traces; undefined where nothing is traced. */
  readonly traceparent: string | undefined;
  /** The client's IP address, or `unknown`; see clientAddressReader. */
  readonly clientAddress: () => string;
  /** What the client calls itself, shortened; null when it does not say. */
  readonly userAgent: () => string | null;
  /**
   * A part of the path, percent-decoded once.
   * @throws Refused when it can't be decoded
   */
  readonly pathParameter: (name: string) => string;
  /** @throws Refused when the query string can't be decoded */
  readonly query: () => Query;
  /** The JSON body as it came; see Exchange.readBody for what it throws. */
  readonly readBody: () => Promise<Buffer>;
  /**
   * Counts memory that the answer takes towards what the node may hold; it is given back when the answer is out.
   * @throws BytesInFlightExceeded
   */
  readonly reserve: (bytes: number) => void;
  /** Milliseconds until the client gets a 504. */
  readonly timeLeftMs: () => number;
}

export interface ProtectedRequest extends RouteRequest {
  readonly principal: Principal;
  readonly provedBy: ProofKind;
}
