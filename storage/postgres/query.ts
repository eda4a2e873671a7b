import type pg from 'pg';
import { toReadError } from './database-errors.ts';
import { rowTypes } from './row-types.ts';

/** A statement: its text, how parameters become values, and how rows become ours, all in one file of queries/. */
export interface Query<Parameters, Row> {
  /** Names the prepared statement in each session, and the statement in errors. */
  readonly name: string;
  readonly text: string;
  /** Whether its plan may be kept (kept-plans-client.ts); left out by those whose plan depends on what is stored. */
  readonly keepsPlan?: true;
  readonly values: (parameters: Parameters) => unknown[];
  readonly row: (columns: Readonly<Record<string, unknown>>) => Row;
}

/**
 * Runs a query that only reads.
 * @throws LogUnavailable when Postgres can't be reached or is out of something
 * @throws InvariantBroken when it refuses the statement
 */
export async function read<Parameters, Row>(
  on: Pick<pg.Pool, 'query'>,
  query: Query<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  try {
    return await send(on, query, parameters);
  } catch (error) {
    throw toReadError(error, query.name);
  }
}

/** Runs a query and throws what `pg` throws, for callers that tell failures apart. */
export async function send<Parameters, Row>(
  on: Pick<pg.Pool, 'query'>,
  { name, text, keepsPlan, values, row }: Query<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  const config = { name, text, values: values(parameters), types: rowTypes, ...(keepsPlan && { keepsPlan }) };
  const { rows } = await on.query<Record<string, unknown>>(config);
  return rows.map(row);
}
