import type pg from 'pg';
import { SharedClient } from './shared-client.ts';

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
  options: TransactionOptions,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken = false;
  try {
    return await transactionOn(client, options, work);
  } catch (error) {
    broken = !(await rollBack(client));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** The same on a connection that the caller has, and releases. One on which this throws is still in the transaction. */
export async function transactionOn<Client extends pg.ClientBase, Result>(
  client: Client,
  { isolation, statementTimeoutMs }: TransactionOptions,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  // A connection that breaks while no statement is in flight emits; unheard, that would end the process.
  client.on('error', ignore);
  try {
    const settings = client instanceof SharedClient ? client.localSettings : '';
    // In one round trip, and before the first statement that takes a snapshot.
    await client.query(
      `begin isolation level ${isolation}; ${settings} set local statement_timeout = ${statementTimeoutMs}`,
    );
    const result = await work(client);
    await client.query('commit').catch((error: unknown) => {
      throw new CommitFailed(error);
    });
    return result;
  } finally {
    client.off('error', ignore);
  }
}

/** Whether the connection may be used again; the pool discards it otherwise, and with it whatever it still holds. */
async function rollBack(client: pg.ClientBase): Promise<boolean> {
  client.on('error', ignore);
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  } finally {
    client.off('error', ignore);
  }
}

function ignore(): void {
  // The statement that comes next fails with the same error.
}
