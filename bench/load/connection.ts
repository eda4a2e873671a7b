import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** When it was complete, by `performance.now()`: `send` may still have had to wait for the rest of the request to go out. */
  readonly answeredMs: number;
  readonly body: Buffer;
  readonly retryAfterSecs: number;
}

interface Head {
  readonly end: number;
  readonly status: number;
  /** Null when the body comes in chunks. */
  readonly contentLength: number | null;
  readonly retryAfterSecs: number;
  readonly closes: boolean;
}

/**
 * One keep-alive connection that makes one request at a time from ready bytes and reads just enough of the answer.
 * An HTTP client for general use costs the load generator several times as much.
 */
export class Connection {
  private readonly url: URL;
  private socket: Socket | null = null;

  constructor(url: URL) {
    this.url = url;
  }

  /** @throws Error when the connection breaks before the whole answer is there, or nothing comes in time */
  async send(request: Buffer, timeoutMs: number): Promise<RawAnswer> {
    const socket = await this.open();
    const chunks: Buffer[] = [];
    let head: Head | null = null;
    let answer: RawAnswer | null = null;
    return new Promise<RawAnswer>((resolve, reject) => {
      const finish = (end: () => void, keep: boolean): void => {
        clearTimeout(impatience);
        socket.off('data', onData).off('error', onBreak).off('close', onBreak);
        if (!keep) this.close();
        end();
      };
      const onBreak = (error?: Error | boolean): void => {
        const cause = error instanceof Error ? error : new Error('the connection was closed');
        // A server that has answered need not read the rest of the request.
        const settled = answer;
        finish(() => (settled === null ? reject(cause) : resolve(settled)), false);
      };
      const onData = (chunk: Buffer): void => {
        chunks.push(chunk);
        head ??= parseHead(chunks);
        if (head === null || !isComplete(head, chunks)) return;
        const { status, retryAfterSecs, end, closes } = head;
        const body = Buffer.concat(chunks).subarray(end);
        const complete = { status, answeredMs: performance.now(), retryAfterSecs, body };
        answer = complete;
        // An answer may come before the request was sent to its end; its bytes must be gone before they change.
        const settle = (): void => finish(() => resolve(complete), !closes);
        if (closes || socket.writableLength === 0) settle();
        else socket.once('drain', settle);
      };
      const impatience = setTimeout(() => onBreak(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      socket.on('data', onData).on('error', onBreak).on('close', onBreak);
      socket.write(request);
    });
  }

  close(): void {
    this.socket?.on('error', () => undefined); // What happens to it is nobody's business any more.
    this.socket?.destroy();
    this.socket = null;
  }

  private async open(): Promise<Socket> {
    if (this.socket !== null && !this.socket.destroyed) return this.socket;
    const socket = connect({ host: this.url.hostname, port: Number(this.url.port || 80), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve();
      });
    });
    this.socket = socket;
    return socket;
  }
}

function parseHead(chunks: readonly Buffer[]): Head | null {
  const bytes = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const text = bytes.toString('latin1', 0, end).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
  return {
    end: end + 4,
    status: Number(text.slice(9, 12)),
    contentLength: length === undefined ? null : Number(length),
    retryAfterSecs: Number(/\r\nretry-after: *(\d+)/.exec(text)?.[1] ?? 0),
    closes: /\r\nconnection: *close/.test(text),
  };
}

function isComplete({ end, contentLength }: Head, chunks: readonly Buffer[]): boolean {
  const received = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (contentLength !== null) return received >= end + contentLength;
  return Buffer.concat(chunks.slice(-2)).subarray(-5).toString('latin1') === '0\r\n\r\n';
}
