import { Refused } from '../../domain/errors.ts';
import { parseTimestamp } from '../../domain/time.ts';
import type { Micros, Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';

/** The parameters of a query string. Those that nobody asks for are ignored, also when they are repeated. */
export interface Query {
  /** @throws Refused when it is missing, repeated, or no UUID */
  uuid(name: string): Uuid;
  /** Null when it is missing. @throws Refused when it is repeated, or no UUID */
  optionalUuid(name: string): Uuid | null;
  /** An integer below 2^64, exactly. @throws Refused when it is repeated, or no such number */
  u64(name: string, whenAbsent: bigint): bigint;
  /** An integer below 2^32. @throws Refused when it is repeated, or no such number */
  u32(name: string, whenAbsent: number): number;
  /** False when it is missing. @throws Refused when it is repeated, or neither `true` nor `false` */
  flag(name: string): boolean;
  /** Null when it is missing. @throws Refused when it is repeated, empty, or longer in UTF-16 units */
  optionalText(name: string, lengthMax: number): string | null;
  /** Null when it is missing. @throws Refused when it is repeated, or no timestamp of RFC 3339 */
  optionalTimestamp(name: string): Micros | null;
}

/**
 * Splits a query string (without its question mark) and decodes the names and values.
 * @throws Refused when an escape is broken or its bytes are not UTF-8
 */
export function readQuery(search: string): Query {
  const given = new Map<string, string[]>();
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    const values = given.get(name);
    if (values === undefined) given.set(name, [value]);
    else values.push(value);
  }
  return {
    uuid: (name) => {
      const value = single(given, name);
      if (value === null) throw refused(`the query parameter ${name} is missing; accepted is a UUID`);
      return parseUuid(value) ?? fail(name, value, 'a UUID');
    },
    optionalUuid: (name) => {
      const value = single(given, name);
      return value === null ? null : (parseUuid(value) ?? fail(name, value, 'a UUID'));
    },
    u64: (name, whenAbsent) => {
      const value = single(given, name);
      if (value === null) return whenAbsent;
      return readInteger(value, u64Max) ?? fail(name, value, 'an integer from 0 to 2^64 - 1');
    },
    u32: (name, whenAbsent) => {
      const value = single(given, name);
      if (value === null) return whenAbsent;
      return Number(readInteger(value, BigInt(u32Max)) ?? fail(name, value, 'an integer from 0 to 2^32 - 1'));
    },
    flag: (name) => {
      const value = single(given, name) ?? 'false';
      return value === 'true' || (value === 'false' ? false : fail(name, value, 'true or false'));
    },
    optionalText: (name, lengthMax) => {
      const value = single(given, name);
      const fits = value === null || (value.length > 0 && value.length <= lengthMax && !value.includes('\0'));
      return fits ? value : fail(name, value, `a text of 1 to ${lengthMax} characters without U+0000`);
    },
    optionalTimestamp: (name) => {
      const value = single(given, name);
      // A plus sign that was not escaped is a space by now.
      const text = value?.replace(/ (?=\d\d:\d\d$)/, '+') ?? null;
      if (text === null) return null;
      return parseTimestamp(text) ?? fail(name, text, 'a timestamp such as 2026-01-31T12:00:00Z');
    },
  };
}

export const u32Max = 2 ** 32 - 1;
const u64Max = 2n ** 64n - 1n;
/** More digits than any accepted number has, leading zeros included: a bound on the work. */
const digitsMax = 40;

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refused(`the query string has ${quote(text)}, which is not percent-encoded UTF-8`);
  }
}

function single(given: ReadonlyMap<string, readonly string[]>, name: string): string | null {
  const values = given.get(name);
  if (values === undefined) return null;
  if (values.length > 1) {
    throw refused(`the query parameter ${name} is given ${values.length} times; accepted is once`);
  }
  return values[0] ?? null;
}

function readInteger(text: string, max: bigint): bigint | null {
  if (text.length > digitsMax || !/^\d+$/.test(text)) return null;
  const value = BigInt(text);
  return value <= max ? value : null;
}

function fail(name: string, value: string, accepted: string): never {
  throw refused(`the query parameter ${name} is ${quote(value)}; accepted is ${accepted}`);
}

function refused(sentence: string): Refused {
  return new Refused('INVALID_QUERY', sentence);
}

/** Escaped, so that nothing a caller sends can look like a line of ours, and short. */
function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
