import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where the connection breaks: before the request reaches Postgres, or after it was carried out and before the reply. */
export type Cut = 'before the request' | 'before the reply';

/** Stands between us and Postgres, and loses requests, replies or everything when told to. */
export class TcpProxy {
  /** The database's URL by way of this proxy. */
  readonly url: string;
  private readonly server: Server;
  private readonly target: URL;
  private readonly sockets = new Set<Socket>();
  private cut: { readonly statement: string; readonly at: Cut; readonly met?: () => void } | null = null;
  private isSilent = false;
  private isDown = false;

  static async open(targetUrl: string): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server, new URL(targetUrl));
  }

  private constructor(server: Server, target: URL) {
    this.server = server;
    this.target = target;
    const url = new URL(target);
    url.port = String((server.address() as { port: number }).port);
    this.url = url.href;
    server.on('connection', (client) => this.forward(client));
  }

  /** Breaks the next connection on which a prepared statement is run whose name begins so. */
  cutNext(statement: string, at: Cut): void {
    this.cut = { statement, at };
  }

  /** The same; resolves when the statement came. */
  nextCut(statement: string, at: Cut): Promise<void> {
    return new Promise((resolve) => {
      this.cut = { statement, at, met: resolve };
    });
  }

  /** From now on requests arrive and no reply comes back, until `speak`. */
  fallSilent(): void {
    this.isSilent = true;
  }

  /** New connections work again; those that were silenced stay so. */
  speak(): void {
    this.isSilent = false;
  }

  /** Breaks every connection and accepts none, until `goUp`. */
  goDown(): void {
    this.isDown = true;
    this.breakAll();
  }

  goUp(): void {
    this.isDown = false;
  }

  async close(): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private breakAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private forward(client: Socket): void {
    if (this.isDown) {
      client.destroy();
      return;
    }
    const postgres = connect(Number(this.target.port), this.target.hostname);
    const both = [client, postgres];
    const breakBoth = (): void => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      this.sockets.add(socket);
      socket.on('error', breakBoth);
      socket.on('close', () => {
        this.sockets.delete(socket);
        breakBoth();
      });
    }

    let losesReply = false;
    let isMute = false;
    client.on('data', (chunk) => {
      const { cut } = this;
      if (cut !== null && chunk.includes(`\0${cut.statement}`)) {
        this.cut = null;
        cut.met?.();
        if (cut.at === 'before the request') return breakBoth();
        losesReply = true;
      }
      postgres.write(chunk);
    });
    postgres.on('data', (chunk) => {
      // Postgres is ready for the next statement only once the one before is committed.
      if (losesReply) {
        if (chunk.subarray(-6).equals(readyForQuery)) breakBoth();
        return;
      }
      isMute ||= this.isSilent;
      if (!isMute) client.write(chunk);
    });
  }
}

/** The message `Z`, outside a transaction. */
const readyForQuery = Buffer.from('Z\0\0\0\x05I', 'latin1');
