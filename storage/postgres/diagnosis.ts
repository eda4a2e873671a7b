import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { InvariantBroken } from '../../domain/errors.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { commitmentLag } from './queries/commitment-lag.query.ts';
import { countingLag } from './queries/counting-lag.query.ts';
import { indexStates } from './queries/index-states.query.ts';
import { replicaStates } from './queries/replica-states.query.ts';
import { checkpointsBefore17, serverState } from './queries/server-state.query.ts';
import { tableStates } from './queries/table-states.query.ts';
import { read } from './query.ts';

/** How a Postgres is, asked of itself. */
export function postgresDiagnosis(pool: Pick<pg.Pool, 'query'>): Diagnosis {
  return {
    async server() {
      const [before17] = await read(pool, checkpointsBefore17, null);
      const [state] = await read(pool, serverState(before17 === true), null);
      if (state === undefined) throw new InvariantBroken('the state of the server has no row');
      return state;
    },
    indexes: () => read(pool, indexStates, null),
    tables: () => read(pool, tableStates, null),
    replicas: () => read(pool, replicaStates, null),
    async backlog() {
      const [counting] = await read(pool, countingLag, null);
      const [commitments] = await read(pool, commitmentLag, null);
      if (counting === undefined || commitments === undefined)
        throw new InvariantBroken('the backlog has no row');
      return { uncountedEventsMax: counting, commitments };
    },
  };
}

const migrations = join(import.meta.dirname, '..', '..', 'migrations');
const indexStatement =
  /\b(?:create\s+(?:unique\s+)?index\s+(?:if\s+not\s+exists\s+)?(?<made>\w+)|drop\s+index\s+(?:if\s+exists\s+)?(?<dropped>\w+))/gi;

/** The indexes that this version's migrations name; those of primary keys and constraints are not among them. */
export async function indexesOfMigrations(directory: string = migrations): Promise<string[]> {
  const names = new Set<string>();
  for (const file of (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()) {
    const text = (await readFile(join(directory, file), 'utf8')).replaceAll(/--.*$/gm, '');
    for (const { groups } of text.matchAll(indexStatement)) {
      if (groups?.made !== undefined) names.add(groups.made);
      if (groups?.dropped !== undefined) names.delete(groups.dropped);
    }
  }
  return [...names];
}
