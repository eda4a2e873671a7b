import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A node behind the proxy. */
interface Target {
  readonly url: URL;
  /** What the last look at `/ready` found. */
  ready: boolean;
}

const lookEveryMs = 250;
const lookTimeoutMs = 1_000;
/** Longer than any node takes for an answer, so that the node's own 504 is what a client sees. */
const answerTimeoutMs = 60_000;

/**
 * An HTTP proxy on loopback that gives each request to the next node. It looks at `/ready` of each and leaves out those
 * that are not; a request that a node refused to take goes to the next one. What a node has begun to take is never sent
 * twice: when its connection breaks, the answer is 502, and only the client knows whether to send it again.
 */
export class RoundRobinProxy {
  private readonly server: Server;
  private readonly targets: readonly Target[];
  private readonly agent = new Agent({ keepAlive: true });
  private readonly looking: NodeJS.Timeout;
  private next = 0;

  /** @param port any free one when 0 */
  static async open(urls: readonly string[], port: number): Promise<RoundRobinProxy> {
    const server = createServer({ requestTimeout: 0 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return new RoundRobinProxy(server, urls);
  }

  private constructor(server: Server, urls: readonly string[]) {
    this.server = server;
    this.targets = urls.map((url) => ({ url: new URL(url), ready: true }));
    server.on('request', (req, res) => this.forward(req, res, this.order()));
    this.looking = setInterval(() => this.targets.forEach((target) => void look(target)), lookEveryMs);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.looking);
    this.agent.destroy();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** Whom to try, in this order: from the next one round, those that are ready before the others. */
  private order(): Target[] {
    const first = this.next;
    this.next = (first + 1) % this.targets.length;
    const round = [...this.targets.slice(first), ...this.targets.slice(0, first)];
    return [...round.filter(({ ready }) => ready), ...round.filter(({ ready }) => !ready)];
  }

  private forward(req: IncomingMessage, res: ServerResponse, [target, ...others]: readonly Target[]): void {
    if (target === undefined) return refuse(res, 503, 'no node takes connections');
    const { hostname, port } = target.url;
    const { method, url: path, headers } = req;
    const call = request({
      hostname,
      port,
      method,
      path,
      headers,
      agent: this.agent,
      timeout: answerTimeoutMs,
    });
    let begun = false;
    const begin = (): void => {
      begun = true;
      req.pipe(call);
    };
    call.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', begin);
      else begin();
    });
    call.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => {
      if (!begun) {
        target.ready = false;
        this.forward(req, res, others);
      } else if (res.headersSent) res.destroy();
      else refuse(res, 502, 'the node went away before it answered');
    });
    res.on('close', () => call.destroy());
  }
}

async function look(target: Target): Promise<void> {
  try {
    const answer = await fetch(new URL('/ready', target.url), { signal: AbortSignal.timeout(lookTimeoutMs) });
    await answer.arrayBuffer();
    target.ready = answer.status === 200;
  } catch {
    target.ready = false;
  }
}

function refuse(res: ServerResponse, status: number, sentence: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  res.end(sentence);
}
