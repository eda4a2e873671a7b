import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A TCP connection on which a test says exactly what it wants, and reads what comes back. */
export class RawConnection {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    const end = (): void => {
      this.ended = true;
      this.wake();
    };
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('end', end).on('close', end).on('error', end);
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
      socket.on('error', reject);
    });
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Says that nothing more will be sent. */
  finish(): void {
    this.socket.end();
  }

  /** The next response, the interim 100 included; null when the connection ends before it is complete. */
  async response(options: { readonly toHead?: boolean } = {}): Promise<RawResponse | null> {
    for (;;) {
      const response = this.take(options.toHead ?? false);
      if (response !== null) return response;
      if (this.ended) return null;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Resolves when the server has ended the connection. */
  async end(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    this.socket.destroy();
  }

  /** Resolves when the server takes nothing any more, although this side has not ended. */
  async reset(): Promise<void> {
    while (!this.socket.destroyed) {
      this.socket.write('x');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Takes nothing in any more. */
  pause(): void {
    this.socket.pause();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(toHead: boolean): RawResponse | null {
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd === -1) return null;
    const [statusLine = '', ...lines] = this.received.subarray(0, headEnd).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = toHead ? 0 : Number(headers.get('content-length') ?? 0);
    const bodyStart = headEnd + 4;
    if (this.received.length < bodyStart + length) return null;
    const body = this.received.subarray(bodyStart, bodyStart + length).toString('utf8');
    this.received = this.received.subarray(bodyStart + length);
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }
}
