import type { Micros } from './types.ts';

/**
 * Reads an RFC 3339 timestamp: `T`, `t` or a space between date and time, `Z`, `z` or a numeric offset at the end, any
 * number of fraction digits (those beyond microseconds are cut off). A leap second counts as the first moment of the
 * next minute.
 * @returns null when the text is no such timestamp, names a day that the calendar lacks, or lies outside the years
 *   0000 to 9999 in UTC, which could not be written back
 */
export function parseTimestamp(text: string): Micros | null {
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const second = digitsAt(text, 17, 2);
  if (year < 0 || text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return null;
  if (text[10] !== 'T' && text[10] !== 't' && text[10] !== ' ') return null;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return null;

  let at = 19;
  let micros = 0;
  if (text[at] === '.') {
    const start = ++at;
    while (digitsAt(text, at, 1) >= 0) at++;
    if (at === start) return null;
    micros = Number(text.slice(start, Math.min(at, start + 6)).padEnd(6, '0'));
  }
  const offsetSecs = offsetAt(text, at);
  if (offsetSecs === null) return null;

  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offsetSecs;
  if (seconds < secondsMin || seconds > secondsMax) return null;
  return toMicros(seconds, micros);
}

/** How an instant in UTC ends: receipts of VES events use `+00:00`, everything else `Z`. */
export type UtcSuffix = 'Z' | '+00:00';

/** Writes an instant with no, 3 or 6 fraction digits, the fewest that lose nothing. */
export function formatTimestamp(micros: Micros, suffix: UtcSuffix): string {
  const seconds = micros / 1_000_000n - (micros % 1_000_000n < 0n ? 1n : 0n);
  return formatInstant(Number(seconds), Number(micros - seconds * 1_000_000n) * 1000, suffix);
}

/**
 * Writes an instant with no, 3, 6 or 9 fraction digits, the fewest that lose nothing.
 * @param seconds whole seconds since 1970-01-01T00:00:00Z, within the years 0000 to 9999
 * @param nanos 0 to 999 999 999, counted forward from `seconds`
 */
export function formatInstant(seconds: number, nanos: number, suffix: UtcSuffix): string {
  const dateAndTime = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return dateAndTime + suffix;
  const digits = String(nanos).padStart(9, '0');
  const kept = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `${dateAndTime}.${digits.slice(0, kept)}${suffix}`;
}

const secondsMin = daysSinceEpoch(0, 1, 1) * 86_400;
const secondsMax = daysSinceEpoch(10_000, 1, 1) * 86_400 - 1;

/** The number that `count` decimal digits at `start` spell, or -1 when one of them is no digit. */
function digitsAt(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    // Past the end the code is NaN, which fails this test as well.
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Seconds east of UTC that the rest of the text states, or null when it is no offset. */
function offsetAt(text: string, at: number): number | null {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : null;
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || text.length !== at + 6) return null;
  const hours = digitsAt(text, at + 1, 2);
  const minutes = digitsAt(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  return (sign === '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 to a day of the proleptic Gregorian calendar; counts years from March, so leap days come last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const yearFromMarch = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays =
    Math.floor(yearFromMarch / 4) - Math.floor(yearFromMarch / 100) + Math.floor(yearFromMarch / 400);
  return yearFromMarch * 365 + leapDays + dayOfYear - 719_468;
}

function toMicros(seconds: number, micros: number): Micros {
  const total = seconds * 1_000_000 + micros;
  const exact = Number.isSafeInteger(total) ? BigInt(total) : BigInt(seconds) * 1_000_000n + BigInt(micros);
  return exact as Micros;
}
