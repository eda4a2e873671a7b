import { bootstrapAdmin, nilUuid } from '../../domain/access.ts';
import { grantByAdmin, permissionsOf } from '../../domain/key-grant.ts';
import { SequencerError } from '../../domain/errors.ts';
import { formatTimestamp } from '../../domain/time.ts';
import type { AgentId, TenantId } from '../../domain/types.ts';
import { revokeByPrefix } from '../../services/access/key-minting.ts';
import { hashPrefixOf, newApiKey } from '../../services/access/new-api-key.ts';
import { AuditLog } from '../../services/audit/audit-log.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { AuditAction, NewAuditEntry } from '../../storage/audit-log.ts';
import type { ApiKeyRecord } from '../../storage/api-keys.ts';
import { postgresApiKeys } from '../../storage/postgres/api-keys.ts';
import { postgresAuditEntries } from '../../storage/postgres/audit-log.ts';
import { openScanPool } from '../scan-database.ts';
import { type KeyAccess, KeysRefused, type ListedKey } from './key-access.ts';

const pageSize = 1_000;

/**
 * Keys by way of the database: whoever may write there may do anything. What is changed stands in the audit log.
 * @throws LogUnfit when the database has another schema; what `pg` throws when it can't be reached
 */
export async function databaseKeys(databaseUrl: string, onDone: () => Promise<void>): Promise<KeyAccess> {
  const pool = await openScanPool(databaseUrl);
  const keys = postgresApiKeys(pool);
  const audit = new AuditLog({
    entries: postgresAuditEntries(pool),
    enabled: true,
    clock: systemClock,
    log: { error: (_fields: unknown, sentence?: string) => console.error(sentence) },
  });

  return {
    make: (tenantId, agentId, wanted) =>
      sayingWhy(async () => {
        if (tenantId === nilUuid && (wanted.admin !== true || agentId !== null)) {
          throw new KeysRefused(
            'a key of the nil tenant takes --admin and no --agent: it is a bootstrap administrator',
          );
        }
        const principal = grantByAdmin(bootstrapAdmin, wanted, { tenantId, agentId });
        const key = newApiKey(tenantId);
        await keys.insertKey(key.hash, principal);
        const keyHashPrefix = hashPrefixOf(key.hash);
        const permissions = permissionsOf(principal);
        const details = { agentId, permissions, storeIds: principal.storeIds };
        await audit.record(entryAbout('api_key_created', tenantId, keyHashPrefix, details));
        return { apiKey: key.text, keyHashPrefix, permissions };
      }),

    async *pages(tenantId) {
      let afterPrefix: string | null = null;
      for (;;) {
        const page: ApiKeyRecord[] = await keys.list(
          { tenantId, agentId: null },
          { afterPrefix, limit: pageSize },
        );
        const last = page.at(-1);
        if (last === undefined) return;
        yield page.map(toListed);
        afterPrefix = last.hash;
      }
    },

    revoke: (tenantId, prefix) =>
      sayingWhy(async () => {
        const key = await revokeByPrefix(keys, { tenantId, agentId: null }, prefix);
        const { agentId } = key.principal;
        const details = { agentId, wasActive: key.active };
        await audit.record(entryAbout('api_key_revoked', tenantId, hashPrefixOf(key.hash), details));
      }),

    async close() {
      await pool.end();
      await onDone();
    },
  };
}

/** Refusals and outages as the command tells them. */
async function sayingWhy<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SequencerError ? new KeysRefused(error.message, { cause: error }) : error;
  }
}

function toListed({ hash, active, principal, createdAt }: ApiKeyRecord): ListedKey {
  return {
    keyHashPrefix: hashPrefixOf(hash),
    active,
    permissions: permissionsOf(principal),
    rateLimit: principal.requestsPerMinuteMax,
    agentId: principal.agentId,
    storeIds: principal.storeIds,
    createdAt: formatTimestamp(createdAt, 'Z'),
  };
}

function entryAbout(
  action: AuditAction,
  tenantId: TenantId,
  keyHashPrefix: string,
  details: { readonly agentId: AgentId | null; readonly [fact: string]: unknown },
): NewAuditEntry {
  return {
    action,
    actor: 'sequencer keys',
    actorType: 'command',
    tenantId,
    resourceType: 'api_key',
    resourceId: keyHashPrefix,
    requestId: null,
    ipAddress: null,
    userAgent: null,
    details,
    success: true,
    errorMessage: null,
  };
}
