import type pg from 'pg';
import { LogUnavailable } from '../../domain/errors.ts';
import type { Leases } from '../leases.ts';
import { holdLease, releaseLease } from './queries/leases.query.ts';
import { read } from './query.ts';

/** Two first takers met, so the second looks again. */
const triesMax = 2;

/** The leases in Postgres. Both statements may be repeated at will, as those that read may. */
export function postgresLeases(pool: Pick<pg.Pool, 'query'>): Leases {
  return {
    async hold(role, holder, leaseMs) {
      for (let tries = 0; tries < triesMax; tries += 1) {
        const [lease] = await read(pool, holdLease, { role, ...holder, leaseMs });
        if (lease !== undefined) return lease;
      }
      throw new LogUnavailable(`the lease on ${role} was made by others meanwhile`, { role });
    },

    async release(role, { instanceId }) {
      await read(pool, releaseLease, { role, instanceId });
    },
  };
}
