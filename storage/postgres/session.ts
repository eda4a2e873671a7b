import type { Socket } from 'node:net';
import pg from 'pg';

/** How to reach Postgres, and the limits that every session of ours sets for itself. */
export interface SessionOptions {
  readonly url: string;
  /** How our sessions are told from others: a claim may end only sessions whose name begins with it. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/**
 * What `pg` needs to open such a session. The settings travel with the start of the session, so they cost no round
 * trip, and a pooler in between must pass them on (PgBouncer does not).
 */
export function sessionConfig(options: SessionOptions): pg.ClientConfig {
  const { url, ownSettings } = splitOffSettings(options.url);
  const settings: Record<string, string | number> = {
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    // A host that is lost without a word must not hold its locks for hours.
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    client_connection_check_interval: 2_000,
    // Times are parsed from text, see row-types.ts.
    datestyle: 'ISO',
    timezone: 'UTC',
  };
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  return {
    connectionString: url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: [...ownSettings, ...ours].join(' '),
  };
}

/**
 * Run once in each new session, whose statements must be durable when answered, whatever the server's default is. A
 * stronger default than `on` stays.
 */
export async function prepareSession(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select set_config('synchronous_commit', 'on', false)
      where current_setting('synchronous_commit') <> 'remote_apply'`,
  );
}

/** Opens one session outside the pool. The caller ends it, and hears of its loss through the event `end`. */
export async function openSession(options: SessionOptions): Promise<pg.Client> {
  const client = new pg.Client(sessionConfig(options));
  // The loss of a connection fails the statement in flight and emits `end`; unheard, `error` would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await prepareSession(client);
    return client;
  } catch (error) {
    destroySession(client);
    throw error;
  }
}

/** Ends a session at once, whatever it is doing: a statement in flight fails, and a dead network is not waited for. */
export function destroySession(client: pg.Client): void {
  // `end` waits for the other side when nothing is in flight; the socket below it is the way that `pg` itself takes.
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy();
}

/** `pg` lets settings in the URL replace ours, so they are taken out of it and put in front. */
function splitOffSettings(url: string): { url: string; ownSettings: string[] } {
  if (!/[?&]options=/.test(url)) return { url, ownSettings: [] };
  const parsed = new URL(url);
  const ownSettings = parsed.searchParams.getAll('options');
  parsed.searchParams.delete('options');
  return { url: parsed.href, ownSettings };
}
