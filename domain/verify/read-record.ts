import { parseHex } from '../bytes.ts';
import { Refused } from '../errors.ts';
import { FieldNames, FieldReader } from '../json/fields.ts';
import { JsonReader } from '../json/reader.ts';
import type { Hash, Sequence, Uuid } from '../types.ts';
import { sequenceMax } from '../types.ts';

/** Reads the value at the current place of a document and moves behind it. */
export type ReadValue<Value> = (fields: FieldReader) => Value;

type Members = Readonly<Record<string, ReadValue<unknown>>>;
type ValuesOf<Of extends Members> = { readonly [Name in keyof Of]: ReturnType<Of[Name]> };

/**
 * A reader of objects that have all of the `required` members and may have the `optional` ones, of which null counts as
 * absent. Other members are read past.
 */
export function record<Required extends Members, Optional extends Members>(
  required: Required,
  optional: Optional,
): ReadValue<ValuesOf<Required> & Partial<ValuesOf<Optional>>> {
  const requiredNames = Object.keys(required);
  const names = new FieldNames<string>([...requiredNames, ...Object.keys(optional)]);
  return (fields) => {
    const values: Record<string, unknown> = {};
    const at = fields.object(names, (name) => {
      const read = required[name];
      if (read !== undefined) values[name] = read(fields);
      else if (!fields.isNull()) values[name] = optional[name]?.(fields);
    });
    for (const name of requiredNames) if (!(name in values)) throw fields.missing(at, name);
    // Every member was read by the function of its name.
    return values as ValuesOf<Required> & Partial<ValuesOf<Optional>>;
  };
}

export function listOf<Element>(read: ReadValue<Element>): ReadValue<Element[]> {
  return (fields) => {
    const elements: Element[] = [];
    fields.array(() => elements.push(read(fields)));
    return elements;
  };
}

/** What texts and numbers are in everything that a sequencer hands out. Hex may have 0x before it or not. */
export const values = {
  text: (fields: FieldReader): string => fields.text(),
  uuid: (fields: FieldReader): Uuid => fields.uuid(),
  u32: (fields: FieldReader): number => Number(fields.integer(0xffff_ffffn)),
  /** 0 and up, as far as a sequence goes. */
  count: (fields: FieldReader): number => Number(fields.integer(BigInt(sequenceMax))),
  sequence: (fields: FieldReader): Sequence => Number(fields.integer(BigInt(sequenceMax), 1n)) as Sequence,
  timestamp: (fields: FieldReader) => fields.timestamp(),
  hash: (fields: FieldReader): Hash => fields.hex(32, 'with or without 0x') as Hash,
  publicKey: (fields: FieldReader): Uint8Array => fields.hex(32, 'with or without 0x'),
  signature: (fields: FieldReader): Uint8Array => fields.hex(64, 'with or without 0x'),
  /** Empty where nobody signed. */
  optionalSignature: (fields: FieldReader): Uint8Array | null => {
    const text = fields.text();
    if (text === '') return null;
    const bytes = parseHex(text.startsWith('0x') ? text.slice(2) : text, 64);
    if (bytes === null) throw new Refused('WRONG_SHAPE', 'a signature must be 128 hex digits, or empty');
    return bytes;
  },
  boolean: (fields: FieldReader): boolean => {
    const text = utf8.decode(fields.document());
    if (text !== 'true' && text !== 'false') {
      throw new Refused('WRONG_SHAPE', `true or false is expected, not ${text.slice(0, 80)}`);
    }
    return text === 'true';
  },
  /** Any value, as its text. */
  raw: (fields: FieldReader): Uint8Array => fields.document(),
} as const;

/**
 * Reads a whole document.
 * @throws Refused with `UNREADABLE_JSON` or `WRONG_SHAPE`
 */
export function readDocument<Value>(document: Uint8Array, read: ReadValue<Value>): Value {
  // A part of a document may be read while its reader is still at work.
  const fields = idle.pop() ?? new FieldReader(new JsonReader('jcs'));
  try {
    fields.open(document);
    const value = read(fields);
    fields.finish();
    return value;
  } finally {
    idle.push(fields);
  }
}

const idle: FieldReader[] = [];
const utf8 = new TextDecoder();
