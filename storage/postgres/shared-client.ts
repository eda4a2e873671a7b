import pg from 'pg';

/** Settings by their name in Postgres. */
export type SessionSettings = Readonly<Record<string, string | number>>;

export interface SharedClientConfig extends pg.ClientConfig {
  /** In force in every transaction of the client. */
  readonly transactionSettings: SessionSettings;
}

/**
 * A connection to a pooler that lends a session of Postgres for one transaction at a time. The next transaction may meet
 * another session, so nothing is left behind in one: no statement is prepared under a name, and what would be settings of
 * the session is set anew, in the round trip of each statement, until the transaction's end.
 */
export class SharedClient extends pg.Client {
  private settings: SessionSettings;

  /** @param config of `pg.Client`; the pool of `pg` hands on its own */
  constructor(config: SharedClientConfig) {
    super(config);
    this.settings = config.transactionSettings;
  }

  /** Adds a setting that is known only once there is a connection. */
  addSetting(name: string, value: string): void {
    this.settings = { ...this.settings, [name]: value };
  }

  /** What follows a `begin` in its round trip. Takes no snapshot, so isolation levels stay what they were. */
  get localSettings(): string {
    return Object.entries(this.settings)
      .map(([name, value]) => `set local ${name} = ${pg.escapeLiteral(String(value))};`)
      .join(' ');
  }

  /** As of `pg.Client`. A statement that is only a text, such as `commit`, goes out as it is. */
  override query: pg.Client['query'] = ((given: unknown, ...rest: unknown[]) => {
    const send = super.query.bind(this) as (...args: unknown[]) => unknown;
    if (!isConfig(given)) return send(given, ...rest);
    const isInTransaction = transactionStatusOf(this) !== 'I';
    const { name: _, ...config } = given;
    const prelude = isInTransaction ? null : this.prelude;
    const callback = rest.find((argument) => typeof argument === 'function');
    if (callback !== undefined) {
      send(new SharedQuery(prelude, config, callback as QueryCallback));
      return undefined;
    }
    return new Promise((resolve, reject) => {
      send(
        new SharedQuery(prelude, config, (error, result) => {
          if (error) reject(error);
          else resolve(result);
        }),
      );
    });
  }) as pg.Client['query'];

  private get prelude(): string {
    const calls = Object.entries(this.settings).map(
      ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(String(value))}, true)`,
    );
    return `select ${calls.join(', ')}`;
  }
}

type QueryCallback = (error: Error | null | undefined, result: unknown) => void;

/** The part of `pg`'s connection that sends messages of the extended protocol. */
interface Wire {
  parse(message: { text: string; name: string }): void;
  bind(message: { values: unknown[] }): void;
  execute(message: { portal: string }): void;
}

/** What `pg` calls on a query; its types tell only of `submit`. */
interface QueryHooks {
  prepare(connection: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
}

const base = pg.Query.prototype as unknown as QueryHooks;

/**
 * A statement with a prelude in front of it. Both are sent before the one `Sync` that ends them, so Postgres runs them as
 * one transaction, in one round trip: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class SharedQuery extends pg.Query {
  private readonly preludeText: string | null;
  private isPastPrelude: boolean;

  constructor(preludeText: string | null, config: object, callback: QueryCallback) {
    super({ ...config, queryMode: 'extended' } as unknown as pg.QueryConfig, callback as never);
    this.preludeText = preludeText;
    this.isPastPrelude = preludeText === null;
  }

  prepare(connection: Wire): void {
    if (this.preludeText !== null) {
      connection.parse({ text: this.preludeText, name: '' });
      connection.bind({ values: [] });
      connection.execute({ portal: '' });
    }
    base.prepare.call(this, connection);
  }

  handleDataRow(message: unknown): void {
    if (this.isPastPrelude) base.handleDataRow.call(this, message);
  }

  handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.isPastPrelude) base.handleCommandComplete.call(this, message, connection);
    else this.isPastPrelude = true;
  }
}

function isConfig(given: unknown): given is pg.QueryConfig {
  return typeof given === 'object' && given !== null && 'text' in given && !('submit' in given);
}

/** `I` outside of a transaction, as the last answer of Postgres had it. */
function transactionStatusOf(client: pg.Client): string | null {
  return (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
}
