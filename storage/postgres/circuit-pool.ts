import type pg from 'pg';
import type {
  CircuitBreaker,
  CircuitPermit,
  CircuitVerdict,
} from '../../domain/resilience/circuit-breaker.ts';
import { LogUnavailable, SequencerError } from '../../domain/errors.ts';
import { isOutage } from './database-errors.ts';

type Connect = pg.Pool['connect'];
type Connected = Parameters<Parameters<Connect>[0]>;
type AnyFunction = (...given: unknown[]) => unknown;

/** The ways past the circuits, by pool. */
const pastCircuit = new WeakMap<pg.Pool, Connect>();

/** Whether an error says that Postgres is gone, or rather what it thinks of a statement. */
export function judgeDatabase(error: unknown): CircuitVerdict {
  const isGone = error instanceof SequencerError ? error instanceof LogUnavailable : isOutage(error);
  return isGone ? 'failure' : 'success';
}

/**
 * Has the pool hand out no connection while the circuit is open. A call, in the sense of the circuit, is getting a connection and
 * an answer to the first statement on it, whatever the answer is. What comes after is not its concern: so nothing that was
 * begun is ever cut short, an outcome that is unknown stays so, and a long transaction is no probe for as long as it lasts.
 */
export function guardPool(pool: pg.Pool, breaker: CircuitBreaker): void {
  const connect: Connect = pool.connect.bind(pool);
  pastCircuit.set(pool, connect);
  const lent = new WeakMap<object, CircuitPermit>();

  pool.on('connect', (client) => judgeStatements(client, (verdict) => lent.get(client)?.(verdict)));
  pool.on('release', (_error, client) => lent.get(client)?.('none'));

  const lend = (done: (...connected: Connected) => void): void => {
    let settle: CircuitPermit;
    try {
      settle = breaker.admit();
    } catch (error) {
      process.nextTick(done, error, undefined, () => undefined);
      return;
    }
    connect((error, client, release) => {
      if (client === undefined) settle('failure');
      else lent.set(client, settle);
      done(error, client, release);
    });
  };
  // The pool's own `query` comes this way as well, with a function to call.
  const guarded = (done?: (...connected: Connected) => void): unknown => {
    if (done !== undefined) return lend(done);
    return new Promise((resolve, reject) => {
      lend((error, client) => (client === undefined ? reject(error!) : resolve(client)));
    });
  };
  pool.connect = guarded as Connect;
}

/** A connection also while the circuit is open, for whoever asks whether Postgres is back. */
export function connectPastCircuit(pool: pg.Pool): Promise<pg.PoolClient> {
  const connect = pastCircuit.get(pool);
  return connect === undefined ? pool.connect() : connect();
}

/** Tells of each statement whether Postgres was there. */
function judgeStatements(client: pg.PoolClient, judge: (verdict: CircuitVerdict) => void): void {
  const query = client.query.bind(client) as AnyFunction;
  const answered = (): void => judge('success');
  const failed = (error: unknown): void => judge(judgeDatabase(error));
  const judged: AnyFunction = (...given) => {
    const callback = given.at(-1);
    if (typeof callback === 'function') {
      const called = (error: unknown, ...results: unknown[]): void => {
        if (error === null || error === undefined) answered();
        else failed(error);
        (callback as AnyFunction)(error, ...results);
      };
      return query(...given.slice(0, -1), called);
    }
    const result = query(...given);
    // What is no promise is a statement that answers in parts, and tells its errors to whoever reads it.
    if (result instanceof Promise) result.then(answered, failed);
    return result;
  };
  client.query = judged as typeof client.query;
}
