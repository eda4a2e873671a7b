import type { JsonObject, JsonValue } from './exact-json.ts';
import { EventRefused } from './refusal.ts';

/*
 * Fields of payloads and of states. Null counts as absent throughout. A refusal names the field and what it takes, never what
 * came.
 */

const i64Max = 2n ** 63n - 1n;
const i64Min = -(2n ** 63n);
/** Texts of a state are names, addresses and the like. */
const textLengthMax = 4_096;
const decimal = /^-?\d{1,20}(\.\d{1,20})?$/;

export function requiredText(of: JsonObject, name: string): string {
  const text = optionalText(of, name);
  if (text === null || text === '') throw malformed(name, 'is missing; it takes a text that is not empty');
  return text;
}

export function optionalText(of: JsonObject, name: string): string | null {
  const value = of[name] ?? null;
  if (value === null) return null;
  if (typeof value === 'string' && value.length <= textLengthMax) return value;
  throw malformed(name, `takes a text of at most ${textLengthMax} characters`);
}

/** An integer of 64 bits, read exactly. */
export function optionalI64(of: JsonObject, name: string): bigint | null {
  const value = of[name] ?? null;
  if (value === null) return null;
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!whole) throw malformed(name, 'takes an integer of 64 bits');
  return checkI64(BigInt(value), name);
}

/** The first of these fields that is there. */
export function requiredI64(of: JsonObject, ...names: readonly string[]): bigint {
  for (const name of names) {
    const value = optionalI64(of, name);
    if (value !== null) return value;
  }
  throw malformed(names.join(' or '), 'is missing; it takes an integer of 64 bits');
}

/** @throws EventRefused when the value has no place in 64 bits */
export function checkI64(value: bigint, name: string): bigint {
  if (value >= i64Min && value <= i64Max) return value;
  throw new EventRefused('invariant_violation', `${name} would leave the range of 64-bit integers`);
}

/** An amount of money: a number, or a decimal in a text, which is kept as it is written. */
export function optionalAmount(of: JsonObject, ...names: readonly string[]): number | bigint | string | null {
  for (const name of names) {
    const value = of[name] ?? null;
    if (value === null) continue;
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'string' && decimal.test(value)) return value;
    throw malformed(name, 'takes a number, or a decimal such as "19.99"');
  }
  return null;
}

/** The first of these fields that is there, or an empty list. */
export function list(of: JsonObject, ...names: readonly string[]): readonly JsonValue[] {
  for (const name of names) {
    const value = of[name] ?? null;
    if (value === null) continue;
    if (isList(value)) return value;
    throw malformed(name, 'takes an array');
  }
  return [];
}

/** The first of these fields that is there. */
export function optionalObject(of: JsonObject, ...names: readonly string[]): JsonObject | null {
  for (const name of names) {
    const value = of[name] ?? null;
    if (value === null) continue;
    if (isObject(value)) return value;
    throw malformed(name, 'takes an object');
  }
  return null;
}

/** Of these fields those that `given` names, null too; the readers say what each takes. */
export function given(of: JsonObject, readers: Readonly<Record<string, FieldRead>>): JsonObject {
  const found: Record<string, JsonValue> = {};
  for (const [name, read] of Object.entries(readers))
    if (of[name] !== undefined) found[name] = read(of, name);
  return found;
}

type FieldRead = (of: JsonObject, name: string) => JsonValue;

export function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function malformed(name: string, sentence: string): EventRefused {
  return new EventRefused('schema_validation', `${name} ${sentence}`);
}
