import type pg from 'pg';
import type { ApiKeys } from '../api-keys.ts';
import { apiKeyRevision } from './queries/api-key-revision.query.ts';
import { findApiKey } from './queries/find-api-key.query.ts';
import { hasActiveApiKey } from './queries/has-active-api-key.query.ts';
import { insertApiKey } from './queries/insert-api-key.query.ts';
import { revokeApiKey } from './queries/revoke-api-key.query.ts';
import { upsertBootstrapApiKey } from './queries/upsert-bootstrap-api-key.query.ts';
// The changes go the way of reads: each may be repeated, so a failure means no more than that it is not known to be done.
import { read as run } from './query.ts';
import { theRevision } from './revision.ts';

/** The API keys in Postgres; the pool must lead to the primary, since a replica shows revocations late. */
export function postgresApiKeys(pool: Pick<pg.Pool, 'query'>): ApiKeys {
  return {
    async findByHash(hash) {
      const [record] = await run(pool, findApiKey, hash);
      return record ?? null;
    },

    async upsertBootstrapKey(hash) {
      await run(pool, upsertBootstrapApiKey, hash);
    },

    async hasActiveKey() {
      const [found] = await run(pool, hasActiveApiKey, null);
      return found === true;
    },

    async insertKey(hash, principal) {
      await run(pool, insertApiKey, { hash, principal });
    },

    async revoke(hash) {
      const revoked = await run(pool, revokeApiKey, hash);
      return revoked.length === 1;
    },

    revision: () => theRevision(pool, apiKeyRevision),
  };
}
