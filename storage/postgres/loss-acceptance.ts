import type pg from 'pg';
import { Refused } from '../../domain/errors.ts';
import type { NewAuditEntry } from '../audit-log.ts';
import type { Loss, LossFilter, OpenLosses } from '../lost-heads.ts';
import { toReadError } from './database-errors.ts';
import { insertAuditEntry } from './queries/insert-audit-entry.query.ts';
import { acceptLosses, listOpenLosses, lockLosses, summariseOpenLosses } from './queries/lost-heads.query.ts';
import { read, send } from './query.ts';
import { inTransaction } from './transaction.ts';

export type AcceptingActor = Pick<
  NewAuditEntry,
  'actor' | 'actorType' | 'requestId' | 'ipAddress' | 'userAgent'
>;

const pageSize = 1_000;
const statementTimeoutMs = 60_000;

/** Lets an operator see what the log lost, and accept it: then all nodes append to these stores again. */
export class LossAcceptance {
  private readonly pool: pg.Pool;
  private readonly actor: AcceptingActor;

  /** @param actor who the audit log will say did it */
  constructor(pool: pg.Pool, actor: AcceptingActor) {
    this.pool = pool;
    this.actor = actor;
  }

  /** @throws LogUnavailable */
  async open(filter: LossFilter): Promise<OpenLosses> {
    const [summary] = await read(this.pool, summariseOpenLosses, filter);
    return summary!;
  }

  /** Every open loss, a page of streams at a time. @throws LogUnavailable */
  async *pages(filter: LossFilter): AsyncIterable<readonly Loss[]> {
    let after: Loss | null = null;
    for (;;) {
      const page: Loss[] = await read(this.pool, listOpenLosses, { ...filter, after, limit: pageSize });
      after = page.at(-1) ?? null;
      if (after === null) return;
      yield page;
    }
  }

  /**
   * Accepts the losses that the token stands for, with an entry in the audit log or not at all.
   * @returns how many stores are open for appends again
   * @throws Refused when the open losses are others by now
   * @throws LogUnavailable; whether it happened is for `open` to say
   */
  async accept(filter: LossFilter, token: string): Promise<number> {
    try {
      return await inTransaction(
        this.pool,
        { isolation: 'read committed', statementTimeoutMs },
        async (client) => {
          await send(client, lockLosses, null);
          const [now] = await send(client, summariseOpenLosses, filter);
          if (now === undefined || now.stores === 0 || now.token !== token) {
            throw new Refused(
              'CONFLICT',
              'the open losses are not those that this token stands for: run the command without --confirm and look again',
            );
          }
          await send(client, acceptLosses, { ...filter, acceptedBy: this.actor.actor });
          await send(client, insertAuditEntry, this.entry(filter, now));
          return now.stores;
        },
      );
    } catch (error) {
      throw toReadError(error, 'accept losses');
    }
  }

  private entry({ tenantId, storeId }: LossFilter, { stores, token }: OpenLosses): NewAuditEntry {
    return {
      ...this.actor,
      action: 'rollback_accepted',
      tenantId,
      resourceType: storeId === null ? 'log' : 'store',
      resourceId: storeId,
      details: { stores, token },
      success: true,
      errorMessage: null,
    };
  }
}
