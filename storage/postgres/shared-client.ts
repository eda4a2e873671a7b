import pg from 'pg';
import { isInTransaction, isQueryConfig, sendWithPrelude } from './prelude-query.ts';

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
    if (!isQueryConfig(given)) return send(given, ...rest);
    const { name: _, ...config } = given;
    return sendWithPrelude(send, { prelude: isInTransaction(this) ? null : this.prelude, config, rest });
  }) as pg.Client['query'];

  private get prelude(): string {
    const calls = Object.entries(this.settings).map(
      ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(String(value))}, true)`,
    );
    return `select ${calls.join(', ')}`;
  }
}
