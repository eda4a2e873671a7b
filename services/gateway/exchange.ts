import { performance } from 'node:perf_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeadlineExceeded } from '../../domain/errors.ts';
import { unmatchedPath } from '../../telemetry/metrics/http.ts';
import type { Span, Tracing } from '../../telemetry/tracing.ts';
import type { Reservation } from './admission.ts';
import { gzipBody, isWorthGzip } from './content-coding.ts';
import type { AnsweredExchange, ExchangeCaller, GatewayObserver } from './gateway-observer.ts';
import type { ClientAddressReader } from './client-address.ts';
import type { Cors } from './cors.ts';
import type { Reply } from './reply.ts';
import { type BodyLimits, discardBody, hasBody, readBody } from './request-body.ts';
import { wireRequestId } from './request-id.ts';

/** What all exchanges of a gateway have in common. */
export interface ExchangeContext {
  readonly cors: Cors;
  readonly readClientAddress: ClientAddressReader;
  readonly requestTimeoutMs: number;
  readonly bodyLimits: BodyLimits;
  readonly observer: GatewayObserver;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Whether the gateway is going away: then no connection outlives its response. */
  isClosing(): boolean;
}

/** Headers of every response, whatever it says. */
export const standardHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const;

const userAgentLengthMax = 256;

/**
 * One request and its response. It is answered once: the first reply goes out, and what comes after it (a handler that
 * ends after its time-out) is dropped.
 */
export class Exchange {
  readonly req: IncomingMessage;
  /** The id that the caller sees; a caller may repeat it, so it names nothing inside. */
  readonly requestId: string;
  /** As sent: not decoded. */
  readonly path: string;
  /** What follows the question mark; empty when there is none. */
  readonly search: string;
  private readonly res: ServerResponse;
  private readonly context: ExchangeContext;
  /** As the route table writes it; null while no route was found. */
  template: string | null = null;
  /** Who asks; null for a route that everyone may use, and until the credential was checked. */
  caller: ExchangeCaller | null = null;
  private readonly startedMs: number;
  private requestBytes = 0;
  private readonly span: Span | null;
  /** The client waits for a word before it sends the body. */
  private awaitsContinue: boolean;
  private answered = false;
  private addedHeaders: Readonly<Record<string, string>> = {};

  constructor(context: ExchangeContext, req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) {
    this.context = context;
    this.req = req;
    this.res = res;
    this.awaitsContinue = awaitsContinue;
    this.requestId = wireRequestId(req.headers['x-request-id']);
    const url = req.url ?? '/';
    const questionMark = url.indexOf('?');
    this.path = questionMark === -1 ? url : url.slice(0, questionMark);
    this.search = questionMark === -1 ? '' : url.slice(questionMark + 1);
    this.startedMs = performance.now();
    this.span = context.tracing?.start('HTTP', { kind: 'server' }) ?? null;
  }

  /** Names the request to what is done for it, for traces; undefined where nothing is traced. */
  get traceparent(): string | undefined {
    return this.span?.traceparent;
  }

  /** The client's IP address, or `unknown`. */
  clientAddress(): string {
    return this.context.readClientAddress(this.req);
  }

  /** What the client calls itself, at most 256 characters of it; null when it does not say. */
  userAgent(): string | null {
    return this.req.headers['user-agent']?.slice(0, userAgentLengthMax) ?? null;
  }

  /** Headers for the response, whichever it becomes. */
  addHeaders(headers: Readonly<Record<string, string>>): void {
    this.addedHeaders = { ...this.addedHeaders, ...headers };
  }

  /** Whole milliseconds until the client gets a 504; not negative. */
  timeLeftMs(): number {
    // Whole ones, since node:timers keeps a list for each length that is in use.
    return Math.max(0, Math.ceil(this.startedMs + this.context.requestTimeoutMs - performance.now()));
  }

  /**
   * The request's body as it came, at most as long as the limit allows.
   * @param reservation grows by the body's length: before the first byte if the length is given, else as it comes
   * @throws Refused for a body that is no JSON by its header, too long, or too slow
   * @throws BytesInFlightExceeded
   * @throws DeadlineExceeded when it is complete only after the client got its 504
   */
  async readBody(reservation: Reservation): Promise<Buffer> {
    const body = await readBody(this.req, reservation, this.context.bodyLimits, () => {
      if (this.awaitsContinue) this.res.writeContinue();
      this.awaitsContinue = false;
    });
    this.requestBytes = body.length;
    if (this.answered) throw new DeadlineExceeded('the body came after the answer');
    return body;
  }

  /** Resolves when the response has gone out, or the connection is gone. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.res.closed) resolve();
      else this.res.once('close', resolve);
    });
  }

  reply(reply: Reply): void {
    if (this.answered) return;
    this.answered = true;
    const { body } = reply;
    if (!isWorthGzip(body.length, this.req.headers['accept-encoding'])) return this.write(reply, body, {});
    const coding = { 'content-encoding': 'gzip', vary: 'accept-encoding' };
    const compressed = gzipBody(typeof body === 'string' ? Buffer.from(body) : body);
    if (Buffer.isBuffer(compressed)) this.write(reply, compressed, coding);
    else {
      compressed
        .then((bytes) => this.write(reply, bytes, coding))
        // Nothing is written yet, and there is no memory for more.
        .catch(() => this.req.socket.destroy());
    }
  }

  private write(reply: Reply, body: string | Uint8Array, coding: Readonly<Record<string, string>>): void {
    const { req, res, context } = this;
    const bodyBytes = Buffer.byteLength(body);
    this.tell(reply.status, bodyBytes);
    if (res.destroyed) return;
    const corsHeaders = context.cors.headersFor(req);
    const vary = [coding.vary, corsHeaders.vary].filter((name) => name !== undefined).join(', ');
    res.writeHead(reply.status, {
      ...(reply.contentType !== null && { 'content-type': reply.contentType }),
      'content-length': bodyBytes,
      ...standardHeaders,
      'x-request-id': this.requestId,
      ...corsHeaders,
      ...this.addedHeaders,
      ...coding,
      ...(vary !== '' && { vary }),
      ...reply.headers,
      // A client that was told not to send its body may or may not send it, so nothing can follow on the connection.
      ...((context.isClosing() || this.awaitsContinue) && { connection: 'close' }),
    });
    res.end(body);
    if (hasBody(req) && !req.complete && !this.awaitsContinue) discardBody(req, context.bodyLimits);
    this.limitSending();
  }

  private tell(status: number, responseBytes: number): void {
    const { req, requestId, template, caller, requestBytes } = this;
    const durationMs = performance.now() - this.startedMs;
    const { method = '' } = req;
    if (this.span !== null) endSpan(this.span, { requestId, method, template, status });
    this.context.observer.answered({
      requestId,
      method,
      template,
      status,
      durationMs,
      requestBytes,
      responseBytes,
      caller,
    });
  }

  /** A client that does not take its response loses the connection, or it would hold the response for ever. */
  private limitSending(): void {
    const { res, context } = this;
    if (res.writableFinished || res.writableLength === 0) return;
    const timer = setTimeout(() => this.req.socket.destroy(), context.requestTimeoutMs);
    res.once('close', () => clearTimeout(timer));
  }
}

/** Neither the path nor the query is told: both hold what the client chose. */
function endSpan(
  span: Span,
  facts: Pick<AnsweredExchange, 'requestId' | 'method' | 'template' | 'status'>,
): void {
  const { requestId, method, template, status } = facts;
  const route = template ?? unmatchedPath;
  span.rename(`${method} ${route}`);
  span.set({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'sequencer.request_id': requestId,
  });
  span.end(status >= 500 ? `answered ${status}` : undefined);
}
