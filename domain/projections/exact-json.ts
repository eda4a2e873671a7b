/**
 * JSON as projections hold it: integers beyond 2^53 are bigints, so that nothing is rounded on its way through a payload, a
 * state and the database. Other numbers are doubles.
 */
export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Neither is in the library's types yet: https://github.com/tc39/proposal-json-parse-with-source */
type Reviver = (
  this: unknown,
  name: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;
const parse = JSON.parse as (text: string, reviver?: Reviver) => JsonValue;
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** No number with fewer digits in a row is rounded, and asking for the digits makes reading some five times slower. */
const longNumber = /\d{16}/;
const integer = /^-?\d+$/;

/** @throws SyntaxError, TypeError when the bytes are no JSON in UTF-8 */
export function readExactJson(bytes: Uint8Array): JsonValue {
  return parseExactJson(utf8.decode(bytes));
}

/** @throws SyntaxError when the text is no JSON */
export function parseExactJson(text: string): JsonValue {
  return longNumber.test(text) ? parse(text, reviveInteger) : parse(text);
}

export function writeExactJson(value: JsonValue): string {
  return JSON.stringify(value, (_name, part: JsonValue) =>
    typeof part === 'bigint' ? rawJSON(part.toString()) : part,
  );
}

function reviveInteger(
  this: unknown,
  _name: string,
  value: unknown,
  { source }: { source?: string },
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return integer.test(source) ? BigInt(source) : value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
