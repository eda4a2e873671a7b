import type pg from 'pg';
import type { LostHeads } from '../lost-heads.ts';
import { toReadError } from './database-errors.ts';
import {
  compareKnownHeads,
  countOpenLosses,
  fenceLostStores,
  insertLostHeads,
  insertLostStores,
} from './queries/lost-heads.query.ts';
import { read, send } from './query.ts';
import { inTransaction } from './transaction.ts';

/** Rows that one report locks at a time. */
const reportedMax = 1_000;
const statementTimeoutMs = 30_000;

/** The losses in Postgres. */
export function postgresLostHeads(pool: pg.Pool): LostHeads {
  return {
    compare: (known) => read(pool, compareKnownHeads, known),

    async report(lost, nodeId) {
      for (let at = 0; at < lost.length; at += reportedMax) {
        const report = { lost: lost.slice(at, at + reportedMax), nodeId };
        try {
          await inTransaction(pool, { isolation: 'read committed', statementTimeoutMs }, async (client) => {
            // An append in flight is waited for, and the next is fenced: so the heads that are written down are the last.
            await send(client, fenceLostStores, report);
            await send(client, insertLostStores, report);
            await send(client, insertLostHeads, report);
          });
        } catch (error) {
          throw toReadError(error, 'report lost heads');
        }
      }
    },

    async openStores() {
      const [stores] = await read(pool, countOpenLosses, null);
      return stores ?? 0;
    },
  };
}
