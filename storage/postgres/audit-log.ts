import type pg from 'pg';
import type { AuditEntries } from '../audit-log.ts';
import { insertAuditEntry } from './queries/insert-audit-entry.query.ts';
import { latestAuditEntry } from './queries/latest-audit-entry.query.ts';
import { listAuditEntries } from './queries/list-audit-entries.query.ts';
// A failed insert means no more than that it is not known to be done: an entry that stands twice does no harm.
import { read as run } from './query.ts';

/** The audit log in Postgres. */
export function postgresAuditEntries(pool: Pick<pg.Pool, 'query'>): AuditEntries {
  return {
    async append(entry) {
      await run(pool, insertAuditEntry, entry);
    },

    async latest(about) {
      const [entry] = await run(pool, latestAuditEntry, about);
      return entry ?? null;
    },

    list: (filter, page) => run(pool, listAuditEntries(filter), { filter, page }),
  };
}
