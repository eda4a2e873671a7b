import type pg from 'pg';
import type { ApiKeys } from '../api-keys.ts';
import { apiKeyRevision } from './queries/api-key-revision.query.ts';
import { findApiKey } from './queries/find-api-key.query.ts';
import { findApiKeysByPrefix } from './queries/find-api-keys-by-prefix.query.ts';
import { findLatestApiKey } from './queries/find-latest-api-key.query.ts';
import { hasActiveApiKey } from './queries/has-active-api-key.query.ts';
import { insertApiKey } from './queries/insert-api-key.query.ts';
import { installBootstrapApiKey } from './queries/install-bootstrap-api-key.query.ts';
import { listApiKeys } from './queries/list-api-keys.query.ts';
import { lockApiKeyRevision } from './queries/lock-api-key-revision.query.ts';
import { revokeApiKey } from './queries/revoke-api-key.query.ts';
import { revokeOtherBootstrapApiKeys } from './queries/revoke-other-bootstrap-api-keys.query.ts';
import { tenantsOfAgent } from './queries/tenants-of-agent.query.ts';
import { toReadError } from './database-errors.ts';
// The changes go the way of reads: each may be repeated, so a failure means no more than that it is not known to be done.
import { read as run, send } from './query.ts';
import { theRevision } from './revision.ts';
import { inTransaction } from './transaction.ts';

const installTimeoutMs = 10_000;

/** The API keys in Postgres; the pool must lead to the primary, since a replica shows revocations late. */
export function postgresApiKeys(pool: pg.Pool): ApiKeys {
  return {
    async findByHash(hash) {
      const [record] = await run(pool, findApiKey, hash);
      return record ?? null;
    },

    async installBootstrapKey(hash, { replaceOthers }) {
      const options = { isolation: 'read committed', statementTimeoutMs: installTimeoutMs } as const;
      try {
        return await inTransaction(pool, options, async (client) => {
          // Two nodes that start with different keys at once would each miss the other's, and both keys would stay.
          await send(client, lockApiKeyRevision, null);
          const [active] = await send(client, installBootstrapApiKey, hash);
          if (active !== undefined && replaceOthers) await send(client, revokeOtherBootstrapApiKeys, hash);
          return active !== undefined;
        });
      } catch (error) {
        throw toReadError(error, installBootstrapApiKey.name);
      }
    },

    async hasActiveKey() {
      const [found] = await run(pool, hasActiveApiKey, null);
      return found === true;
    },

    async insertKey(hash, principal, activeKeysMax) {
      const added = await run(pool, insertApiKey, { hash, principal, activeKeysMax: activeKeysMax ?? null });
      return added.length === 1;
    },

    async revoke(hash) {
      const revoked = await run(pool, revokeApiKey, hash);
      return revoked.length === 1;
    },

    list: (owner, page) => run(pool, listApiKeys, { ...owner, ...page }),

    findByPrefix: (owner, prefix, limit) => run(pool, findApiKeysByPrefix, { ...owner, prefix, limit }),

    async findLatest(agent) {
      const [record] = await run(pool, findLatestApiKey, agent);
      return record ?? null;
    },

    tenantsOfAgent: (agentId, limit) => run(pool, tenantsOfAgent, { agentId, limit }),

    revision: () => theRevision(pool, apiKeyRevision),
  };
}
