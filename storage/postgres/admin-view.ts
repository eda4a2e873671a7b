import type pg from 'pg';
import { InvariantBroken } from '../../domain/errors.ts';
import type { AdminView } from '../admin-view.ts';
import { adminAgents } from './queries/admin-agents.query.ts';
import { adminOverview } from './queries/admin-overview.query.ts';
import { adminStores } from './queries/admin-stores.query.ts';
import { adminTenants } from './queries/admin-tenants.query.ts';
import { read } from './query.ts';

/** What an administrator sees, asked of Postgres. */
export function postgresAdminView(pool: Pick<pg.Pool, 'query'>): AdminView {
  return {
    async overview(tenantId) {
      const [overview] = await read(pool, adminOverview(tenantId), { tenantId, limit: 1 });
      if (overview === undefined) throw new InvariantBroken('the overview has no row');
      return overview;
    },
    tenants: (tenantId, limit) => read(pool, adminTenants(tenantId), { tenantId, limit }),
    stores: (tenantId, limit) => read(pool, adminStores(tenantId), { tenantId, limit }),
    agents: (tenantId, limit) => read(pool, adminAgents(tenantId), { tenantId, limit }),
  };
}
