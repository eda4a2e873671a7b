import { connect, type ConnectionOptions, ErrorCode, Events, type Msg, type NatsConnection } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { NatsRefused } from './nats-refused.ts';

export interface NatsLinkOptions {
  /** Servers, credentials and TLS; what concerns reconnecting is set here. Called for every new connection. */
  readonly connectionOptions: () => ConnectionOptions;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export interface NatsLinkListener {
  /** The connection stands, for the first time or again, and everything is subscribed. */
  connected(): void;
  /** What was sent last may have been lost. */
  cutOff(): void;
}

type Receive = (message: Msg) => void;

const retryMs = 1_000;
/** A server that doesn't answer two pings is given up, so after 4 to 6 seconds. */
const pingIntervalMs = 2_000;
const connectTimeoutMs = 3_000;
/** A server that hangs takes nothing, and must not keep a node from ending. */
const flushTimeoutMs = 1_000;

/**
 * The node's connection to NATS, for as long as the node lives.
 *
 * Modes: `connecting` (never connected yet) → `connected` ⇄ `cut off`, and `closed` at the end. It tries again for
 * ever by itself; subscriptions are kept over all connections.
 */
export class NatsLink {
  private readonly options: NatsLinkOptions;
  private readonly subscriptions: { readonly subject: string; readonly receive: Receive }[] = [];
  private readonly listeners: NatsLinkListener[] = [];
  private mode: 'connecting' | 'connected' | 'cut off' | 'closed' = 'connecting';
  private modeSinceMs: number;
  private connection: NatsConnection | null = null;
  private trying: Promise<void> = Promise.resolve();
  private problem = '';

  constructor(options: NatsLinkOptions) {
    this.options = options;
    this.modeSinceMs = options.clock.monotonicMs();
  }

  get isConnected(): boolean {
    return this.mode === 'connected';
  }

  /** Whether it ever stood. */
  get hasConnected(): boolean {
    return this.mode !== 'connecting';
  }

  /** How long it has stood, or not stood. */
  get inModeForMs(): number {
    return this.options.clock.monotonicMs() - this.modeSinceMs;
  }

  /** Why it does not stand, in the words of the last attempt. */
  get lastProblem(): string {
    return this.problem;
  }

  /** The longest message that the server takes, in bytes; what NATS has by default while there is none. */
  get payloadBytesMax(): number {
    return this.connection?.info?.max_payload ?? 1_048_576;
  }

  /**
   * Connects, or leaves an attempt in the background when no server answers.
   * @throws NatsRefused when a server answers and does not let us in: nothing but a person changes that
   */
  async open(): Promise<void> {
    try {
      await this.tryOnce();
    } catch (error) {
      if (isRefusal(error)) {
        this.mode = 'closed';
        throw new NatsRefused(messageOf(error), {}, { cause: error });
      }
      this.failed(error);
      this.trying = this.tryForEver();
    }
  }

  listen(listener: NatsLinkListener): void {
    this.listeners.push(listener);
  }

  /** Now and after every reconnection. */
  subscribe(subject: string, receive: Receive): void {
    const subscription = { subject, receive };
    this.subscriptions.push(subscription);
    if (this.connection !== null) this.subscribeOn(this.connection, subscription);
  }

  /** Sends, or throws away what can't be sent: while the link does not stand nothing is kept for later. */
  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.isConnected) return;
    this.connection?.publish(subject, data, reply === undefined ? undefined : { reply });
  }

  /** The first answer, or null when nobody is there to give one in time. */
  async ask(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array | null> {
    try {
      const answer = await this.connection?.request(subject, data, { timeout: timeoutMs });
      return answer?.data ?? null;
    } catch {
      return null;
    }
  }

  /** A ping to the server and back, in milliseconds; null while the link does not stand, or breaks meanwhile. */
  async roundTripMs(): Promise<number | null> {
    if (!this.isConnected || this.connection === null) return null;
    return this.connection.rtt().catch(() => null);
  }

  /** Sends what is still to be sent, if the server takes it, and ends. */
  async close(): Promise<void> {
    const { connection, isConnected } = this;
    this.moveTo('closed');
    if (connection !== null && isConnected) {
      const flushed = connection.flush().catch(() => undefined);
      await Promise.race([flushed, this.options.clock.sleep(flushTimeoutMs)]);
    }
    await connection?.close();
    await this.trying;
  }

  private async tryForEver(): Promise<void> {
    for (;;) {
      await this.options.clock.sleep(retryMs);
      if (this.isClosed()) return;
      try {
        return await this.tryOnce();
      } catch (error) {
        this.failed(error);
      }
    }
  }

  private async tryOnce(): Promise<void> {
    const connection = await connect({
      ...this.options.connectionOptions(),
      timeout: connectTimeoutMs,
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: retryMs / 2,
      reconnectJitter: retryMs / 2,
      reconnectJitterTLS: retryMs / 2,
      ignoreAuthErrorAbort: true,
      pingInterval: pingIntervalMs,
      maxPingOut: 2,
    });
    if (this.isClosed()) return connection.close();
    this.connection = connection;
    for (const subscription of this.subscriptions) this.subscribeOn(connection, subscription);
    void this.follow(connection);
    await connection.flush();
    this.stands();
  }

  /** Keeps our mode in step with the connection, until it ends. */
  private async follow(connection: NatsConnection): Promise<void> {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect) this.broke();
      else if (type === Events.Reconnect) this.stands();
      else if (type === Events.Error) this.failed(data);
    }
    // It reconnects by itself until we close it; should it ever give up, begin anew.
    if (this.isClosed()) return;
    this.broke();
    this.connection = null;
    this.trying = this.tryForEver();
  }

  private stands(): void {
    if (this.isConnected || this.isClosed()) return;
    this.options.log.info({ nats: this.connection?.getServer() }, 'connected to NATS');
    this.problem = '';
    this.moveTo('connected');
    for (const listener of this.listeners) listener.connected();
  }

  private broke(): void {
    if (this.mode !== 'connected') return;
    this.options.log.warn('the connection to NATS broke; it is made again as soon as a server answers');
    this.problem = 'the connection broke';
    this.moveTo('cut off');
    for (const listener of this.listeners) listener.cutOff();
  }

  private isClosed(): boolean {
    return this.mode === 'closed';
  }

  private moveTo(mode: NatsLink['mode']): void {
    this.mode = mode;
    this.modeSinceMs = this.options.clock.monotonicMs();
  }

  /** Says the same only once. */
  private failed(cause: unknown): void {
    const problem = messageOf(cause);
    if (problem === this.problem) return;
    this.problem = problem;
    this.options.log.warn({ problem }, 'NATS does not let us in or does not answer; trying on');
  }

  private subscribeOn(
    connection: NatsConnection,
    { subject, receive }: { readonly subject: string; readonly receive: Receive },
  ): void {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) receive(message);
        else this.failed(error);
      },
    });
  }
}

const refusals: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.BadAuthentication,
  ErrorCode.BadCreds,
  ErrorCode.AuthenticationExpired,
  ErrorCode.AccountExpired,
  ErrorCode.Tls,
  ErrorCode.ServerOptionNotAvailable,
]);

function isRefusal(error: unknown): boolean {
  const { code, chainedError } = error as { code?: string; chainedError?: { code?: string } };
  return refusals.has(code ?? '') || refusals.has(chainedError?.code ?? '');
}

function messageOf(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  if (!(cause instanceof Error)) return String(cause);
  const { chainedError } = cause as { chainedError?: Error };
  return chainedError?.message ?? cause.message;
}
