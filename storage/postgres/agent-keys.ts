import type pg from 'pg';
import type { AgentKeys } from '../agent-keys.ts';
import { agentKeyRevision } from './queries/agent-key-revision.query.ts';
import { findAgentKey } from './queries/find-agent-key.query.ts';
import { insertAgentKey } from './queries/insert-agent-key.query.ts';
import { listAgentKeys } from './queries/list-agent-keys.query.ts';
import { revokeAgentKey } from './queries/revoke-agent-key.query.ts';
// As for API keys, the changes go the way of reads: each may be repeated.
import { read as run } from './query.ts';
import { theRevision } from './revision.ts';

/** The agent keys in Postgres; the pool must lead to the primary, since a replica shows revocations late. */
export function postgresAgentKeys(pool: Pick<pg.Pool, 'query'>): AgentKeys {
  return {
    async find(ref) {
      const [key] = await run(pool, findAgentKey, ref);
      return key ?? null;
    },

    list: (agent, page) => run(pool, listAgentKeys, { ...agent, ...page }),

    async register(key) {
      const inserted = await run(pool, insertAgentKey, key);
      return inserted.length === 1;
    },

    async revoke(ref) {
      const [key] = await run(pool, revokeAgentKey, ref);
      return key ?? null;
    },

    revision: () => theRevision(pool, agentKeyRevision),
  };
}
