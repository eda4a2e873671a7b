import type pg from 'pg';
import { InvariantBroken } from '../../domain/errors.ts';
import { type Query, read } from './query.ts';

/** The number by which changes to a kind of record are noticed; migrations/0002_api_keys.sql says how it grows. */
export async function theRevision(pool: Pick<pg.Pool, 'query'>, query: Query<null, number>): Promise<number> {
  const [revision] = await read(pool, query, null);
  if (revision === undefined) throw new InvariantBroken(`${query.name}: the table revisions lacks its row`);
  return revision;
}
