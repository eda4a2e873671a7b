import type pg from 'pg';

/** Told what Postgres is asked and how long that takes; all durations in milliseconds. */
export interface DatabaseObserver {
  /** A statement got its answer, be it an error. @param query its name, `other` for one without */
  queried(query: string, durationMs: number): void;
  /** One append statement, or several where the first was refused in part. */
  appended(facts: AppendFacts): void;
  /** Someone got a connection of the pool after this wait. */
  acquired(durationMs: number): void;
  /** Someone got none in time. */
  acquisitionTimedOut(): void;
}

export interface AppendFacts {
  readonly events: number;
  readonly stores: number;
  readonly durationMs: number;
}

type Callback = (error: Error | undefined, ...results: unknown[]) => void;
type AnyFunction = (...given: unknown[]) => unknown;

/** Has every statement and every wait for a connection of a pool observed. */
export function observePool(pool: pg.Pool, observer: DatabaseObserver): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as AnyFunction;
    const timed: AnyFunction = (config, ...rest) =>
      isSubmittable(config)
        ? query(config, ...rest)
        : timedCall(query, [config, ...rest], (_error, durationMs) =>
            observer.queried(nameOf(config), durationMs),
          );
    client.query = timed as typeof client.query;
  });
  const connect = pool.connect.bind(pool) as AnyFunction;
  // The pool's own `query` comes this way as well.
  const timed: AnyFunction = (...given) =>
    timedCall(connect, given, (error, durationMs) => {
      if (error === null) observer.acquired(durationMs);
      else if (error.message.includes('timeout')) observer.acquisitionTimedOut();
    });
  pool.connect = timed as typeof pool.connect;
}

/** `pg` takes a callback as the last argument, or returns a promise. */
function timedCall(
  run: AnyFunction,
  given: readonly unknown[],
  done: (error: Error | null, durationMs: number) => void,
): unknown {
  const startedMs = performance.now();
  const callback = given.at(-1);
  if (typeof callback === 'function') {
    const observed: Callback = (error, ...results) => {
      done(error ?? null, performance.now() - startedMs);
      (callback as Callback)(error, ...results);
    };
    return run(...given.slice(0, -1), observed);
  }
  const result = run(...given) as Promise<unknown>;
  result.then(
    () => done(null, performance.now() - startedMs),
    (error: unknown) => done(error as Error, performance.now() - startedMs),
  );
  return result;
}

/** A cursor or a stream answers in parts. */
function isSubmittable(config: unknown): boolean {
  return typeof (config as { submit?: unknown } | undefined)?.submit === 'function';
}

/** Statements without a name begin and end transactions, or are of a library. */
function nameOf(config: unknown): string {
  return (config as { name?: string }).name ?? 'other';
}
