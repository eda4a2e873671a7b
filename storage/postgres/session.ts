import type { Socket } from 'node:net';
import pg from 'pg';
import { SharedClient, type SessionSettings, type SharedClientConfig } from './shared-client.ts';

/** Whether a pooler stands between us and Postgres, and lends its sessions for one transaction at a time. */
export type Pooler = 'none' | 'transaction';

/** How to reach Postgres, and the limits that every session of ours sets for itself. */
export interface SessionOptions {
  readonly url: string;
  /** How our sessions are told from others: a claim may end only sessions whose name begins with it. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** `none` unless given. */
  readonly pooler?: Pooler;
  /** Whether statements are sent without waiting for the answers of those before them; not behind a pooler. */
  readonly pipeline?: boolean;
  /** Further settings of Postgres. */
  readonly settings?: SessionSettings;
}

/**
 * What `pg` needs to open such a session. The settings travel with the start of the session, so they cost no round trip;
 * a pooler would not pass them on, so there they travel with each transaction (shared-client.ts).
 */
export function sessionConfig(options: SessionOptions): pg.ClientConfig | SharedClientConfig {
  const { url, ownSettings } = splitOffSettings(options.url);
  const limits: SessionSettings = {
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    // Times are parsed from text, see row-types.ts.
    datestyle: 'ISO',
    timezone: 'UTC',
    ...options.settings,
  };
  const common = {
    connectionString: url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
  if (options.pooler === 'transaction') return { ...common, transactionSettings: limits };
  const ours = Object.entries({ ...limits, ...watchfulness }).map(([name, value]) => `-c ${name}=${value}`);
  return {
    ...common,
    ...(options.pipeline === true && { pipeline: true }),
    options: [...ownSettings, ...ours].join(' '),
  };
}

/**
 * A host that is lost without a word must not hold its locks for hours. Behind a pooler this is about the connection to the
 * pooler, and for the pooler to set.
 */
const watchfulness: SessionSettings = {
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  client_connection_check_interval: 2_000,
};

/**
 * Run once on each new connection, whose statements must be durable when answered, whatever the server's default is. A
 * stronger default than `on` stays.
 */
export async function prepareSession(client: pg.ClientBase): Promise<void> {
  if (client instanceof SharedClient) {
    const { rows } = await client.query<{ level: string }>(
      `select current_setting('synchronous_commit') as level`,
    );
    client.addSetting('synchronous_commit', rows[0]?.level === 'remote_apply' ? 'remote_apply' : 'on');
    return;
  }
  await client.query(
    `select set_config('synchronous_commit', 'on', false)
      where current_setting('synchronous_commit') <> 'remote_apply'`,
  );
}

/** Opens one session outside the pool. The caller ends it, and hears of its loss through the event `end`. */
export async function openSession(options: SessionOptions): Promise<pg.Client> {
  const client = newClient(sessionConfig(options));
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

function newClient(config: pg.ClientConfig | SharedClientConfig): pg.Client {
  return 'transactionSettings' in config ? new SharedClient(config) : new pg.Client(config);
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
