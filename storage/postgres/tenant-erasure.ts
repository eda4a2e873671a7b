import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { Refused } from '../../domain/errors.ts';
import type { Micros, TenantId } from '../../domain/types.ts';
import type { NewAuditEntry } from '../audit-log.ts';
import { toReadError } from './database-errors.ts';
import {
  closeStores,
  countPlainPayloads,
  deleteExpiredErasureRequests,
  destroyKeys,
  findHoldings,
  lockTenant,
  requestErasure,
  takeErasureRequest,
  type TenantHoldings,
} from './queries/erase-tenant.query.ts';
import { insertAuditEntry } from './queries/insert-audit-entry.query.ts';
import { deleteCheckpoints, deleteProjections } from './queries/reset-projection.query.ts';
import { read, send } from './query.ts';
import { inTransaction } from './transaction.ts';

export type { TenantHoldings } from './queries/erase-tenant.query.ts';

export type ErasureActor = Pick<
  NewAuditEntry,
  'actor' | 'actorType' | 'requestId' | 'ipAddress' | 'userAgent'
>;

/** How long the token of the first step is good for. */
export const tokenValidSecs = 900;
/** Looking for payloads without encryption reads all rows of the tenant. */
const statementTimeoutMs = 3_600_000;

export interface ErasureToken {
  /** Kept nowhere but with the caller. */
  readonly token: string;
  readonly expiresAt: Micros;
}

/**
 * Erases a tenant by destroying its keys, in two steps: the first hands out a token, the second wants it back. Its events stay
 * as they are, and all that is proved by their hashes.
 */
export class TenantErasure {
  private readonly pool: pg.Pool;
  private readonly actor: ErasureActor;

  /** @param actor who the audit log will say did it */
  constructor(pool: pg.Pool, actor: ErasureActor) {
    this.pool = pool;
    this.actor = actor;
  }

  /** @throws LogUnavailable */
  async holdings(tenantId: TenantId): Promise<TenantHoldings & { readonly plainPayloads: number }> {
    const [[holdings], [plainPayloads]] = await Promise.all([
      read(this.pool, findHoldings, { tenantId }),
      read(this.pool, countPlainPayloads, { tenantId }),
    ]);
    return { ...holdings!, plainPayloads: plainPayloads ?? 0 };
  }

  /** A token for the second step; the one before, if there was one, is worth nothing from now on. @throws LogUnavailable */
  async request(tenantId: TenantId): Promise<ErasureToken> {
    const token = randomBytes(16).toString('hex');
    const request = { tenantId, tokenHash: hashOf(token), validSecs: tokenValidSecs };
    const [expiresAt] = await read(this.pool, requestErasure, request);
    await read(this.pool, insertAuditEntry, this.entry('tenant_erasure_requested', tenantId, {}));
    return { token, expiresAt: expiresAt! };
  }

  /**
   * Destroys the keys and closes the stores of the tenant, all or nothing.
   *
   * What is in flight is waited for: an append that was answered before is erased with the rest, and none is answered after.
   * @returns how many keys were destroyed
   * @throws Refused when the token is not the one of the first step or its time is up, and when payloads of the tenant are
   *   stored without encryption, which destroying keys would not erase
   * @throws LogUnavailable; whether it happened is for `holdings` to say
   */
  async erase(tenantId: TenantId, token: string): Promise<number> {
    try {
      return await inTransaction(
        this.pool,
        { isolation: 'read committed', statementTimeoutMs },
        async (client) => {
          await send(client, lockTenant, { tenantId });
          const taken = await send(client, takeErasureRequest, { tenantId, tokenHash: hashOf(token) });
          if (taken.length === 0) {
            throw new Refused(
              'INVALID_FIELD_VALUE',
              'this is not the token of the first step, or its time is up',
            );
          }
          await send(client, closeStores, { tenantId });
          // Not before: until now a node without encryption could add some.
          const [plain = 0] = await send(client, countPlainPayloads, { tenantId });
          if (plain > 0) throw plainPayloads(tenantId, plain);
          // What they were projected to lies in clear.
          const storeNumbers = await send(client, deleteCheckpoints, { tenantId });
          await send(client, deleteProjections, { storeNumbers });
          const [keysDestroyed = 0] = await send(client, destroyKeys, { tenantId });
          // With the erasure or not at all: it leaves no other trace of who wanted it.
          await send(client, insertAuditEntry, this.entry('tenant_erased', tenantId, { keysDestroyed }));
          return keysDestroyed;
        },
      );
    } catch (error) {
      throw toReadError(error, 'erase a tenant');
    }
  }

  /** Writes the table of keys anew, so that deleted ones do not linger in its file until a vacuum. @throws LogUnavailable */
  async forgetDeletedKeys(): Promise<void> {
    try {
      await this.pool.query('vacuum (full) payload_keys');
    } catch (error) {
      throw toReadError(error, 'vacuum payload_keys');
    }
  }

  private entry(
    action: 'tenant_erasure_requested' | 'tenant_erased',
    tenantId: TenantId,
    details: NewAuditEntry['details'],
  ): NewAuditEntry {
    return {
      ...this.actor,
      action,
      tenantId,
      resourceType: 'tenant',
      resourceId: tenantId,
      details,
      success: true,
      errorMessage: null,
    };
  }
}

/** Deletes up to so many first steps that no second one followed in time; returns how many there were. @throws LogUnavailable */
export async function deleteExpiredRequests(pool: pg.Pool, rowsMax: number): Promise<number> {
  return (await read(pool, deleteExpiredErasureRequests, { rowsMax })).length;
}

/** What the caller is told whose payloads no key would erase. */
export function plainPayloads(tenantId: TenantId, count: number): Refused {
  return new Refused(
    'CONFLICT',
    `${count} payloads of the tenant are stored without encryption, so destroying keys would not erase them: run "sequencer reencrypt --tenant-id ${tenantId}" first`,
    { tenantId, count },
  );
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
