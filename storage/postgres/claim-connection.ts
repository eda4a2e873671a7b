import type pg from 'pg';
import { backendPid } from './queries/backend-pid.query.ts';
import { type Query, send } from './query.ts';
import { SharedClient } from './shared-client.ts';
import { transactionOn } from './transaction.ts';

/** A connection for claims, of which it is known who waits when a claim does. */
export class ClaimConnection {
  private readonly client: pg.PoolClient;
  private readonly statementTimeoutMs: number;
  private sharedPid: number | null = null;

  constructor(client: pg.PoolClient, { statementTimeoutMs }: { readonly statementTimeoutMs: number }) {
    this.client = client;
    this.statementTimeoutMs = statementTimeoutMs;
  }

  /** The process of Postgres that runs the statement under way; null when none does that is known. */
  get pid(): number | null {
    return isShared(this.client)
      ? this.sharedPid
      : (this.client as unknown as { readonly processID: number }).processID;
  }

  /**
   * Runs one statement, on its own or, where sessions change from one transaction to the next, in a transaction that asks
   * first which session it got. One each, since a transaction over several would hold locks while the next one waits.
   */
  async send<Parameters, Row>(query: Query<Parameters, Row>, parameters: Parameters): Promise<Row[]> {
    const { client, statementTimeoutMs } = this;
    if (!isShared(client)) return send(client, query, parameters);
    try {
      return await transactionOn(client, { isolation: 'read committed', statementTimeoutMs }, async () => {
        [this.sharedPid = null] = await send(client, backendPid, null);
        return send(client, query, parameters);
      });
    } finally {
      this.sharedPid = null;
    }
  }
}

function isShared(client: pg.ClientBase): boolean {
  return client instanceof SharedClient;
}
