import { createServer, type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { standardHeaders } from './exchange.ts';
import { wireRequestId } from './request-id.ts';

export interface HttpServerOptions {
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
}

const headersTimeoutMs = 10_000;
/** Longer than load balancers keep idle connections (60 s is usual), so that they, not we, close first. */
const keepAliveTimeoutMs = 75_000;
/** How long a close waits for the first word on a connection that was opened just before. */
const unusedTimeoutMs = 1_000;
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
    // Checked where the response gets our headers.
    requireHostHeader: false,
  });
  let closing = false;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (req, res) => options.onRequest(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) =>
    options.onRequest(req, res, true),
  );
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    options.onRequest(req, res, false);
  });
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
        const unused = setTimeout(() => destroyUnused(sockets), unusedTimeoutMs);
        const cut = setTimeout(() => server.closeAllConnections(), options.drainTimeoutMs);
        server.close(() => {
          clearTimeout(unused);
          clearTimeout(cut);
          resolve();
        });
      }),

    isClosing: () => closing,
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

/** Answers on a connection on which no further request can be read, and ends it. */
function refuseConnection(socket: Duplex, status: number): void {
  if (!socket.writable || responseUnderWay(socket)) {
    socket.destroy();
    return;
  }
  const sentence = 'the request is not one that this server can read';
  const headers = {
    ...standardHeaders,
    'x-request-id': wireRequestId(undefined),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(sentence.length),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${sentence}`);
}

/** Whether part of a response may be on its way already: a second status line would then corrupt it. */
function responseUnderWay(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
