import pg from 'pg';
import { InvariantBroken } from '../../domain/errors.ts';
import type { Micros } from '../../domain/types.ts';

/**
 * How column values become ours: `bigint` a number, `timestamptz` microseconds, `uuid` its text, `bytea` a buffer.
 * Sessions run in UTC and ISO style (session.ts).
 */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? (pg.types.getTypeParser(oid) as Parser),
};

type Parser = (text: string) => unknown;

const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [pg.types.builtins.INT8, parseInt64],
  [pg.types.builtins.TIMESTAMPTZ, parseMicros],
]);

/** @throws InvariantBroken beyond 2^53 - 1: a number could not name it */
function parseInt64(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new InvariantBroken(`${text} is beyond 2^53 - 1`, { value: text });
  return value;
}

const timestamp = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00( BC)?$/;

function parseMicros(text: string): Micros {
  const parts = timestamp.exec(text);
  if (parts === null)
    throw new InvariantBroken(`${text} is no timestamp in UTC and ISO style`, { value: text });
  const [, year, month, day, hour, minute, second, fraction = '', bc] = parts;
  const date = new Date(0);
  // Postgres has no year 0: 1 BC is the year that RFC 3339 calls 0000.
  date.setUTCFullYear(bc === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  return (BigInt(date.getTime()) * 1_000n + BigInt(fraction.padEnd(6, '0'))) as Micros;
}
