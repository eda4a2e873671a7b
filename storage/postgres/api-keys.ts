import pg from 'pg';
import { InvariantBroken, LogUnavailable } from '../../domain/errors.ts';
import type { ApiKeys } from '../api-keys.ts';
import { apiKeyRevision } from './queries/api-key-revision.query.ts';
import { findApiKey } from './queries/find-api-key.query.ts';
import { hasActiveApiKey } from './queries/has-active-api-key.query.ts';
import { insertApiKey } from './queries/insert-api-key.query.ts';
import { revokeApiKey } from './queries/revoke-api-key.query.ts';
import { upsertBootstrapApiKey } from './queries/upsert-bootstrap-api-key.query.ts';

/** The API keys in Postgres; the pool must lead to the primary, since a replica shows revocations late. */
export function postgresApiKeys(pool: Pick<pg.Pool, 'query'>): ApiKeys {
  return {
    async findByHash(hash) {
      const { rows } = await run(pool, findApiKey, findApiKey.values(hash));
      const row = rows[0] as Parameters<typeof findApiKey.record>[1] | undefined;
      return row === undefined ? null : findApiKey.record(hash, row);
    },

    async upsertBootstrapKey(hash) {
      await run(pool, upsertBootstrapApiKey, upsertBootstrapApiKey.values(hash));
    },

    async hasActiveKey() {
      const { rows } = await run(pool, hasActiveApiKey);
      return (rows[0] as { found: boolean }).found;
    },

    async insertKey(hash, principal) {
      await run(pool, insertApiKey, insertApiKey.values(hash, principal));
    },

    async revoke(hash) {
      const { rowCount } = await run(pool, revokeApiKey, revokeApiKey.values(hash));
      return rowCount === 1;
    },

    async revision() {
      const { rows } = await run(pool, apiKeyRevision);
      const row = rows[0] as { revision: string } | undefined;
      if (row === undefined) throw new InvariantBroken('the table revisions has no row for api_keys');
      return BigInt(row.revision);
    },
  };
}

async function run(
  pool: Pick<pg.Pool, 'query'>,
  query: { readonly name: string; readonly text: string },
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  try {
    // Not as a named statement: look-ups are rare, and poolers that share connections do not know the name.
    return await pool.query(query.text, values);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === uniqueViolation) {
      throw new InvariantBroken('an API key with this hash exists already', {}, { cause: error });
    }
    throw new LogUnavailable(`the API keys can't be reached (${query.name})`, {}, { cause: error });
  }
}

const uniqueViolation = '23505';
