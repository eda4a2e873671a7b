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

function parseMicros(text: string): Micros {
  return parseUsualMicros(text) ?? parseAnyMicros(text);
}

/** Events come by the hundred, with two instants each and mostly of one day: a day is read once. */
let lastDay = '';
let lastDayMs = 0;

/** `2025-12-20 18:31:22.123456+00`, with any number of digits behind the point; null for other forms. */
function parseUsualMicros(text: string): Micros | null {
  const end = text.length - 3;
  if (text.charCodeAt(10) !== space || !text.endsWith('+00')) return null;
  const day = text.slice(0, 10);
  if (day !== lastDay) {
    const dayMs = Date.parse(`${day}T00:00:00Z`);
    if (Number.isNaN(dayMs)) return null;
    lastDay = day;
    lastDayMs = dayMs;
  }
  const seconds = twoDigits(text, 11) * 3_600 + twoDigits(text, 14) * 60 + twoDigits(text, 17);
  const fraction = end > 20 ? Number(text.slice(20, end).padEnd(6, '0')) : 0;
  const micros = lastDayMs * 1_000 + seconds * 1_000_000 + fraction;
  return Number.isSafeInteger(micros) ? (BigInt(micros) as Micros) : null;
}

const space = 0x20;

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * 0x30;
}

const timestamp = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00( BC)?$/;

function parseAnyMicros(text: string): Micros {
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
