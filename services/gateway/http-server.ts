import { createServer, type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { standardHeaders } from './exchange.ts';
import { Connections, pipelinedRequestsMax } from './connections.ts';
import { wireRequestId } from './request-id.ts';

/** What a client may send before anyone looks at it. */
export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** 0 is no bound. */
  readonly requestsPerConnectionMax: number;
  /** Of the request line and all headers together. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly urlBytesMax: number;
}

export interface HttpServerOptions extends ConnectionLimits {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The longest that a request with its body may take to arrive; a backstop, since handlers answer before. */
  readonly requestTimeoutMs: number;
  /** How long `close` waits for what is being answered. */
  readonly drainTimeoutMs: number;
  /** Told of what is nobody's request, such as a connection that could not be accepted. */
  readonly onError: (error: Error) => void;
  /** Answers one request; must not throw. */
  readonly onRequest: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
}

export interface HttpServer {
  /** Rejects with the system's error when the address can't be had. */
  listen(): Promise<AddressInfo>;
  /** Takes no new connection, answers what is held, and ends; cuts what remains after the drain time. */
  close(): Promise<void>;
  isClosing(): boolean;
  /** Connections that are open. */
  readonly connectionCount: number;
}

const headersTimeoutMs = 10_000;
/** Longer than load balancers keep idle connections (60 s is usual), so that they, not we, close first. */
const keepAliveTimeoutMs = 75_000;
/** How long a close waits for the first word on a connection that was opened just before. */
const unusedTimeoutMs = 1_000;
/** Connections that may be told at once that there are too many. */
const refusedConnectionsMax = 100;
/** How long a refused client has to read its answer and close. */
const lingerMs = 1_000;
/** How often slow senders are looked for. */
const checkIntervalMs = 1_000;

/** An HTTP/1.1 server whose every response, also to what is no HTTP, has our headers. */
export function openHttpServer(options: HttpServerOptions): HttpServer {
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs + headersTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: checkIntervalMs,
    maxHeaderSize: options.headerBytesMax,
    // Checked where the response gets our headers.
    requireHostHeader: false,
  });
  // Beyond this they are closed unanswered.
  server.maxConnections = options.connectionsMax + refusedConnectionsMax;
  // Those beyond it would be dropped unseen; who answers counts them.
  server.maxHeadersCount = 0;
  let closing = false;
  const connections = new Connections(options);
  server.on('connection', (socket) => {
    if (!connections.add(socket)) refuseConnection(socket, 503);
  });
  const receive = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void => {
    const reception = connections.occupy(req.socket, res);
    if (reception === 'ignore') return;
    if (reception === 'refuse and close') return refuseRequest(req.socket, res);
    if (reception === 'answer and close') res.setHeader('connection', 'close');
    options.onRequest(req, res, awaitsContinue);
  };
  server.on('request', (req, res) => receive(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => receive(req, res, true));
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => receive(req, res, false));
  server.on('connect', (_req, socket) => refuseConnection(socket, 405));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuseConnection(socket, statusByParserCode[error.code ?? ''] ?? 400);
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: options.host, port: options.port }, () => {
          server.off('error', reject).on('error', options.onError);
          resolve(server.address() as AddressInfo); // Listening on a host and port, so not a path.
        });
      }),

    close: () =>
      new Promise((resolve) => {
        closing = true;
        // node:http ends idle connections, but takes one on which nothing was ever sent for busy.
        const unused = setTimeout(() => destroyUnused(connections.sockets), unusedTimeoutMs);
        const cut = setTimeout(() => server.closeAllConnections(), options.drainTimeoutMs);
        server.close(() => {
          clearTimeout(unused);
          clearTimeout(cut);
          resolve();
        });
      }),

    isClosing: () => closing,

    get connectionCount() {
      return connections.count;
    },
  };
}

function destroyUnused(sockets: Iterable<Socket>): void {
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
}

const statusByParserCode: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** Answers one request too many on a connection, after those before it, and ends the connection. */
function refuseRequest(socket: Socket, res: ServerResponse): void {
  socket.pause(); // Parsing what else it sends would cost as much as answering.
  const sentence = `more than ${pipelinedRequestsMax} requests on this connection wait for their answers; read those first`;
  res.writeHead(503, {
    ...plainHeaders(sentence),
    'retry-after': '1',
  });
  res.end(sentence);
}

/** Answers on a connection on which no further request can be read, and ends it. */
function refuseConnection(socket: Duplex, status: number): void {
  if (!socket.writable || responseUnderWay(socket)) {
    socket.destroy();
    return;
  }
  const isFull = status === 503;
  const sentence = isFull
    ? 'as many connections as this node holds are busy'
    : 'the request is not one that this server can read';
  const headers = { ...plainHeaders(sentence), ...(isFull && { 'retry-after': '1' }) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${sentence}`);
}

/** Of an answer that is given before there is an exchange, the last on its connection. */
function plainHeaders(sentence: string): Readonly<Record<string, string>> {
  return {
    ...standardHeaders,
    'x-request-id': wireRequestId(undefined),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(sentence.length),
    connection: 'close',
  };
}

/** Whether part of a response may be on its way already: a second status line would then corrupt it. */
function responseUnderWay(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
