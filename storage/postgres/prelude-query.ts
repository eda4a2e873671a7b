import pg from 'pg';

type QueryCallback = (error: Error | null | undefined, result: unknown) => void;

/** The part of `pg`'s connection that sends messages of the extended protocol. */
interface Wire {
  readonly submittedNamedStatements: Record<string, string>;
  parse(message: { text: string; name: string }): void;
  bind(message: { values: unknown[] }): void;
  execute(message: { portal: string }): void;
}

/** What `pg` has on a query; its types tell only of `submit`. */
interface QueryHooks {
  readonly name: string | undefined;
  readonly text: string;
  hasBeenParsed(connection: Wire): boolean;
  prepare(connection: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
}

const base = pg.Query.prototype as unknown as QueryHooks;

/**
 * A statement with a prelude in front of it. Both are sent before the one `Sync` that ends them, so Postgres runs them as
 * one transaction, in one round trip: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class PreludeQuery extends pg.Query {
  private readonly preludeText: string | null;
  private isPastPrelude: boolean;

  constructor(preludeText: string | null, config: object, callback: QueryCallback) {
    super({ ...config, queryMode: 'extended' } as unknown as pg.QueryConfig, callback as never);
    this.preludeText = preludeText;
    this.isPastPrelude = preludeText === null;
  }

  prepare(connection: Wire): void {
    if (this.preludeText !== null) {
      this.parseFirst(connection);
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

  /**
   * `pg` takes the first `ParseComplete` for that of the statement, so it has to be: else one that never got there, since
   * its prelude was cancelled, would count as prepared for as long as the session lives.
   */
  private parseFirst(connection: Wire): void {
    const query = this as unknown as QueryHooks;
    const { name, text } = query;
    if (!name || query.hasBeenParsed(connection)) return;
    connection.parse({ text, name });
    connection.submittedNamedStatements[name] = text;
  }
}

/**
 * Sends a statement behind a prelude, the way that `pg` would send it: for clients that override `query`.
 * @param send `query` of `pg.Client`
 * @param rest what came behind the statement: a callback among it, or the answer comes as a promise
 */
export function sendWithPrelude(
  send: (query: object) => unknown,
  { prelude, config, rest }: { prelude: string | null; config: object; rest: readonly unknown[] },
): unknown {
  const callback = rest.find((argument) => typeof argument === 'function');
  if (callback !== undefined) {
    send(new PreludeQuery(prelude, config, callback as QueryCallback));
    return undefined;
  }
  return new Promise((resolve, reject) => {
    send(
      new PreludeQuery(prelude, config, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      }),
    );
  });
}

/** A statement as `pg` takes it, rather than a text or a query of its own kind. */
export function isQueryConfig(given: unknown): given is pg.QueryConfig {
  return typeof given === 'object' && given !== null && 'text' in given && !('submit' in given);
}

/** As the last answer of Postgres had it. */
export function isInTransaction(client: pg.Client): boolean {
  return (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus() !== 'I';
}
