import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallingOptions, Context, ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { Admission } from './admission.ts';
import { answerWith, type PathParameters } from './answer.ts';
import { adminAddresses } from './admin-addresses.ts';
import type { Authenticate } from './authenticate.ts';
import { clientAddressReader, type ProxySettings } from './client-address.ts';
import { allowOrigins } from './cors.ts';
import { endpointsByAlias } from './endpoints.ts';
import { errorReply } from './error-reply.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import type { GatewayObserver } from './gateway-observer.ts';
import type { AuthenticateScraper } from './metrics-token.ts';
import { type ConnectionLimits, type HttpServer, openHttpServer } from './http-server.ts';
import { emptyReply, type Reply, textReply } from './reply.ts';
import { gatewayRoutes, type HandlerDependencies, nodeRoutes } from './routes.ts';

export interface GatewaySettings extends ProxySettings, ConnectionLimits {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly requestTimeoutMs: number;
  readonly bodyBytesMax: number;
  /** Origins, or `*` among them; empty turns CORS off. */
  readonly corsAllowOrigins: readonly string[];
  /** IP addresses and CIDR ranges that may reach what is for administrators; empty lets every address. */
  readonly adminIpAllowlist: readonly string[];
  /** How long a stop waits for what is being answered. */
  readonly drainTimeoutMs: number;
  /** Of a node that is no gateway: it only tells how it is. */
  readonly nodeRoutesOnly: boolean;
}

export interface GatewayDependencies extends HandlerDependencies {
  readonly settings: GatewaySettings;
  readonly authenticate: Authenticate;
  readonly authenticateScraper: AuthenticateScraper;
  /** Whether the database has more to do than it can. */
  readonly isShedding: () => boolean;
  readonly limits: RequestLimits;
  /** Bounds the bytes of requests; it must admit a body of `bodyBytesMax`. */
  readonly admission: Admission;
  readonly observer: GatewayObserver;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly log: Log;
  /** Told where the gateway listens, before any request is served, and on what. */
  readonly onListening: (address: AddressInfo, server: Pick<HttpServer, 'connectionCount'>) => void;
}

/** What moleculer-web makes of a line in its table of aliases. */
interface Alias {
  isMethod(method: string): boolean;
  readonly re: RegExp;
  readonly keys: readonly { readonly name: string }[];
  readonly handler: (exchange: Exchange, parameters: PathParameters) => Promise<void>;
}

interface Variables {
  readonly actions: { rest: (params: { exchange: Exchange }, options: CallingOptions) => Promise<void> };
  readonly aliases: readonly Alias[];
  regenerateAllAutoAliases: () => void;
  httpServer?: HttpServer;
}

const slowBodies = { progressIntervalMs: 5_000, progressBytesMin: 5_120, discardTimeoutMs: 5_000 };

/**
 * The HTTP side of a node: moleculer-web in its middleware mode, below an HTTP server of ours.
 *
 * Of moleculer-web we use the table of aliases and the private action `rest`, which makes every request a call that the
 * broker's middlewares see. Its own way from there to a handler is replaced: it decodes parameters before anyone is
 * authenticated, takes OPTIONS for GET and `/path/` for `/path`, and costs more than all the rest of a small request
 * (71 against 33 µs on the event loop, where node:http alone takes 29).
 */
export function gatewayService(deps: GatewayDependencies): GatewaySchema {
  const { settings } = deps;
  const answer = answerWith({
    ...deps,
    isAdminAddress: adminAddresses(settings.adminIpAllowlist),
  });
  const aliases: Record<string, Alias['handler']> = {};
  const routes = settings.nodeRoutesOnly ? nodeRoutes(deps) : gatewayRoutes(deps);
  for (const [alias, endpoint] of endpointsByAlias(routes)) {
    aliases[alias] = (exchange, parameters) => answer(endpoint, exchange, parameters);
  }
  const find = aliasFinder();
  return {
    name: 'gateway',
    mixins: [ApiGateway],
    settings: {
      $secureSettings: ['routes'], // Functions, and no other node's business.
      server: false,
      logRouteRegistration: null,
      routes: [
        {
          path: '/',
          aliases,
          mappingPolicy: 'restrict',
          mergeParams: false,
          bodyParsers: false,
          pathToRegexpOptions: { sensitive: true, trailing: false },
        },
      ],
    },
    actions: {
      rest: {
        visibility: 'private',
        handler({ params: { exchange } }: Context<{ exchange: Exchange }>) {
          const found = find(this.aliases, exchange);
          if (found === null) return exchange.reply(emptyReply(404));
          return found.alias.handler(exchange, found.parameters);
        },
      },
      listAliases: false,
      addRoute: false,
      removeRoute: false,
    },
    created() {
      // It looks for aliases of other services whenever any changes, and tells the whole cluster. There are none.
      this.regenerateAllAutoAliases = () => undefined;
    },
    async started() {
      const { rest } = this.actions;
      const httpServer = openExchanges(deps, (exchange) => rest({ exchange }, noTimeout));
      this.httpServer = httpServer;
      deps.onListening(await httpServer.listen(), httpServer);
    },
    async stopped() {
      await this.httpServer?.close();
    },
  };
}

type GatewaySchema = ServiceSchema<Record<string, unknown>, object, Variables>;

/** The exchange has its own. */
const noTimeout = { timeout: 0 };

interface FoundAlias {
  readonly alias: Alias;
  readonly parameters: PathParameters;
}

/**
 * Finds the first alias for the path and the method, with the path's parameters as they were sent. What is found for a path
 * without parameters is remembered, so at most once for each route and method: most requests are for few of a hundred lines.
 */
function aliasFinder(): (aliases: readonly Alias[], exchange: Exchange) => FoundAlias | null {
  const withoutParameters = new Map<string, FoundAlias>();
  return (aliases, exchange) => {
    const key = `${exchange.req.method} ${exchange.path}`;
    const known = withoutParameters.get(key);
    if (known !== undefined) return known;
    const found = findAlias(aliases, exchange);
    if (found?.alias.keys.length === 0) withoutParameters.set(key, found);
    return found;
  };
}

function findAlias(aliases: readonly Alias[], { path, req: { method = '' } }: Exchange): FoundAlias | null {
  for (const alias of aliases) {
    const match = alias.isMethod(method) ? alias.re.exec(path) : null;
    if (match === null) continue;
    const values = alias.keys.map(({ name }, index) => [name, match[index + 1] ?? ''] as const);
    return { alias, parameters: Object.fromEntries(values) };
  }
  return null;
}

/** The server whose requests become exchanges: those that need no route are answered here, the others received. */
function openExchanges(
  { settings, log, observer, tracing }: GatewayDependencies,
  receive: (exchange: Exchange) => Promise<void>,
): HttpServer {
  const context: ExchangeContext = {
    cors: allowOrigins(settings.corsAllowOrigins),
    readClientAddress: clientAddressReader(settings),
    requestTimeoutMs: settings.requestTimeoutMs,
    bodyLimits: { bytesMax: settings.bodyBytesMax, ...slowBodies },
    observer,
    tracing,
    isClosing: () => server.isClosing(),
  };
  const server = openHttpServer({
    ...settings,
    onError: (error) => log.error({ err: error }, 'the HTTP server has a problem'),
    onRequest: (req, res, awaitsContinue) => {
      const exchange = new Exchange(context, req, res, awaitsContinue);
      const preflight = context.cors.preflight(req);
      if (preflight !== null) return exchange.reply(preflight);
      const refusal = refusalOfHead(req, settings);
      if (refusal !== null) return exchange.reply(refusal);
      receive(exchange).catch((error: unknown) => {
        log.error({ err: error, requestId: exchange.requestId }, 'a request failed');
        exchange.reply(errorReply(error, 'text'));
      });
    },
  });
  return server;
}

/** What is wrong with the request line or the headers, whatever they ask for; null when nothing is. */
function refusalOfHead(
  { httpVersion, headers, rawHeaders, url = '' }: IncomingMessage,
  { headersMax, urlBytesMax }: ConnectionLimits,
): Reply | null {
  // One character is one byte: node:http reads the request line as Latin-1.
  if (url.length > urlBytesMax) return textReply(414, `the URL is longer than ${urlBytesMax} bytes`);
  if (rawHeaders.length > 2 * headersMax) return textReply(431, `there are more than ${headersMax} headers`);
  // HTTP/1.1 demands it; node:http would refuse without our headers.
  if (httpVersion === '1.1' && headers.host === undefined) {
    return textReply(400, 'the host header is missing');
  }
  return null;
}
