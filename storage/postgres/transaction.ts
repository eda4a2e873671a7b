import type pg from 'pg';

export interface TransactionOptions {
  readonly isolation: 'read committed' | 'repeatable read';
  /** Of each statement, in place of the session's. */
  readonly statementTimeoutMs: number;
}

/** The statement that ends a transaction failed: whether it took effect is for the error to say. */
export class CommitFailed extends Error {
  constructor(cause: unknown) {
    super('the commit of a transaction failed', { cause });
    this.name = 'CommitFailed';
  }
}

/**
 * Runs `work` on one connection of the pool as one transaction: its changes are kept when it returns, and undone when it
 * throws. Nothing outlives the transaction, so a pooler that shares connections by transaction may stand in between.
 * @throws CommitFailed when `work` returned and the commit failed; else what `pg` or `work` throws
 */
export async function inTransaction<Result>(
  pool: pg.Pool,
  { isolation, statementTimeoutMs }: TransactionOptions,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks while no statement is in flight emits; unheard, that would end the process.
  client.on('error', ignore);
  let broken = false;
  try {
    // In one round trip, and before the first statement that takes a snapshot.
    await client.query(
      `begin isolation level ${isolation}; set local statement_timeout = ${statementTimeoutMs}`,
    );
    const result = await work(client);
    await client.query('commit').catch((error: unknown) => {
      throw new CommitFailed(error);
    });
    return result;
  } catch (error) {
    // The pool discards a connection on which this fails, and with it whatever it still holds.
    broken = await client.query('rollback').then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

function ignore(): void {
  // The statement that comes next fails with the same error.
}
