import pg from 'pg';
import { isInTransaction, isQueryConfig, sendWithPrelude } from './prelude-query.ts';

/**
 * A connection of the pool. Postgres makes a plan for every execution there (pool.ts), which costs a point look-up as much
 * as its execution. A statement that says `keepsPlan` is planned once a session, be the tables empty then or full, and so are
 * the checks of foreign keys that its inserts bring: by indexes only. Say it of statements that any such plan serves well,
 * since each of their tables is entered by a whole unique key; test/integration/plans.test.ts has them all.
 *
 * The settings come in the round trip of the statement and end with it. Inside a transaction they would stay to its end, so
 * there the statement goes without. A pooler keeps no statements, hence no plans.
 */
export class KeptPlansClient extends pg.Client {
  /** As of `pg.Client`. */
  override query: pg.Client['query'] = ((given: unknown, ...rest: unknown[]) => {
    const send = super.query.bind(this) as (...args: unknown[]) => unknown;
    if (!isQueryConfig(given) || !('keepsPlan' in given) || isInTransaction(this))
      return send(given, ...rest);
    return sendWithPrelude(send, { prelude: keepPlans, config: given, rest });
  }) as pg.Client['query'];
}

/** Sets what keeps plans until the transaction ends. Hash and merge joins are for many rows, and begin with a whole table. */
export const keepPlans = `select ${Object.entries({
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
})
  .map(([name, value]) => `set_config('${name}', '${value}', true)`)
  .join(', ')}`;
