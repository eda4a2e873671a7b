import { hexBytes, textAt } from '../bytes.ts';
import { Refused } from '../errors.ts';
import { parseTimestamp } from '../time.ts';
import type { Micros, Uuid } from '../types.ts';
import { canonicalUuidAt, parseUuid } from '../uuid.ts';
import type { FieldNames, Repeated } from './field-names.ts';
import { excerpt, pathAt } from './location.ts';
import type { JsonReader } from './reader.ts';

export { FieldNames, Repeated } from './field-names.ts';

/**
 * Reads typed fields of a JSON document one after the other. Each method reads the value at the current place and moves
 * behind it, or throws what tells the sender which field is wrong, what came, and what is accepted.
 */
export class FieldReader {
  private readonly json: JsonReader;
  private at = 0;
  private depth = 0;

  constructor(json: JsonReader) {
    this.json = json;
  }

  open(document: Uint8Array): void {
    this.json.open(document);
    this.at = this.json.space(0);
    this.depth = 0;
  }

  /** Checks that nothing follows. */
  finish(): void {
    this.json.finish(this.at);
  }

  /**
   * Reads an object, and hands each member that has one of the names to `take`, which must read its value. Other members
   * are read past. A member of the list that comes twice is refused, since nobody could say which one is meant.
   * @returns where the object begins, for `missing`
   */
  object<Name extends string>(names: FieldNames<Name>, take: (name: Name) => void): number {
    const { json } = this;
    const start = this.at;
    if (json.input[start] !== openBrace) throw this.wrong(start, 'an object');
    this.depth++;
    let seen = 0;
    let at = json.space(start + 1);
    if (json.input[at] === closeBrace) at = -(at + 1);
    while (at > 0) {
      json.end = 0;
      const nameAt = at;
      at = json.string(at);
      const field = names.find(json.output, 1, json.end - 1);
      this.at = json.colon(at);
      const name = names.names[field];
      if (name === undefined) {
        this.skip();
      } else {
        if ((seen & (1 << field)) !== 0) throw this.shape(nameAt, name, 'is given twice');
        seen |= 1 << field;
        take(name);
      }
      at = json.separator(this.at, closeBrace);
    }
    this.at = -at;
    this.depth--;
    return start;
  }

  /** Reads an array, calling `takeElement` for each element, which must read it. */
  array(takeElement: () => void): void {
    const { json } = this;
    if (json.input[this.at] !== openBracket) throw this.wrong(this.at, 'an array');
    this.depth++;
    let at = json.space(this.at + 1);
    if (json.input[at] === closeBracket) at = -(at + 1);
    while (at > 0) {
      this.at = at;
      takeElement();
      at = json.separator(this.at, closeBracket);
    }
    this.at = -at;
    this.depth--;
  }

  /** Whether the value is null; moves behind it only then. */
  isNull(): boolean {
    if (this.json.input[this.at] !== 0x6e) return false;
    this.skip();
    return true;
  }

  text(repeated?: Repeated<string>): string {
    const { json } = this;
    this.string('a string');
    const known = repeated?.recall(json.output, json.end) ?? null;
    if (known !== null) return known;
    const text = this.lastString();
    repeated?.keep(json.output, json.end, text);
    return text;
  }

  uuid(repeated?: Repeated<Uuid>): Uuid {
    const { json } = this;
    const start = this.string('a UUID');
    const known = repeated?.recall(json.output, json.end) ?? null;
    if (known !== null) return known;
    // Most are canonical already; between its quotes, such a one takes 38 bytes.
    const canonical = json.end === 38 ? canonicalUuidAt(json.output, 1) : null;
    const uuid = canonical ?? parseUuid(this.lastString());
    if (uuid === null) throw this.wrong(start, 'a UUID');
    repeated?.keep(json.output, json.end, uuid);
    return uuid;
  }

  timestamp(): Micros {
    const accepted = 'an RFC 3339 timestamp such as 2025-12-20T18:31:22.123Z';
    const start = this.string(accepted);
    const micros = parseTimestamp(this.lastString());
    if (micros === null) throw this.wrong(start, accepted);
    return micros;
  }

  /** Reads this many bytes as hex, in one of the forms of `hexForms`. */
  hex(length: number, form: keyof typeof hexForms = 'bare'): Uint8Array {
    const { bare, prefixed, lowerCaseOnly, words } = hexForms[form];
    const accepted = `${length * 2} ${words}`;
    const start = this.string(accepted);
    const { output, end } = this.json;
    // The closing quote is the last byte, so the digits begin behind the opening one, or behind 0x.
    const digitsAt = end - 1 - length * 2;
    const isBare = digitsAt === 1 && bare;
    const isPrefixed = digitsAt === 3 && output[1] === 0x30 && output[2] === 0x78 && prefixed;
    const bytes = isBare || isPrefixed ? hexBytes(output, digitsAt, length) : null;
    if (bytes === null || (lowerCaseOnly && hasCapital(output, end))) throw this.wrong(start, accepted);
    return bytes;
  }

  boolean(): boolean {
    const start = this.at;
    this.skip();
    const token = excerpt(this.json.input, start, this.at);
    if (token !== 'true' && token !== 'false') throw this.wrong(start, 'true or false');
    return token === 'true';
  }

  /** Reads an integer from `min` to `max`, exactly. */
  integer(max: bigint, min = 0n): bigint {
    const { json } = this;
    const start = this.at;
    const accepted = `an integer from ${min} to ${max}`;
    this.skip();
    const token = excerpt(json.input, start, this.at);
    // Not by its value: 1.0 and 1e0 are doubles, and -0 is one as well.
    if (!/^(0|-?[1-9][0-9]{0,19})$/.test(token)) throw this.wrong(start, accepted);
    const value = BigInt(token);
    if (value < min || value > max) throw this.wrong(start, accepted);
    return value;
  }

  /** Reads an array of integers from 0 to 255. */
  bytes(): Uint8Array {
    const bytes: number[] = [];
    this.array(() => bytes.push(Number(this.integer(255n))));
    return Uint8Array.from(bytes);
  }

  /**
   * Reads any value.
   * @returns its text as received, a view into the document; its canonical text is in the reader's output, from 0 to `end`
   */
  document(): Uint8Array {
    const { input } = this.json;
    const start = this.at;
    this.skip();
    return new Uint8Array(input.buffer, input.byteOffset + start, this.at - start);
  }

  /** Reads the value that begins at `start` once more, this time as a whole. */
  documentFrom(start: number): Uint8Array {
    this.at = start;
    return this.document();
  }

  /** The error for a member that an object needs and lacks. */
  missing(objectAt: number, name: string): Refused {
    return this.shape(objectAt, name, 'is missing');
  }

  private skip(): void {
    this.json.end = 0;
    this.at = this.json.value(this.at, this.depth);
  }

  /** Reads a string to the output, quotes included, and says where it began. */
  private string(accepted: string): number {
    const start = this.at;
    if (this.json.input[start] !== quote) throw this.wrong(start, accepted);
    this.json.end = 0;
    this.at = this.json.string(start);
    return start;
  }

  private lastString(): string {
    const { output, end, plain } = this.json;
    return plain ? textAt(output, 1, end - 1) : (JSON.parse(textAt(output, 0, end)) as string);
  }

  /** The error for a value that is none of what is accepted. If it is not even JSON, that is thrown instead. */
  private wrong(at: number, accepted: string): Refused {
    const { input } = this.json;
    this.at = at;
    this.skip();
    const path = pathAt(input, at);
    return new Refused(
      'WRONG_SHAPE',
      `${path || 'the body'} must be ${accepted}, not ${excerpt(input, at, this.at)}`,
      { path },
    );
  }

  private shape(objectAt: number, name: string, fault: string): Refused {
    const path = [pathAt(this.json.input, objectAt), name].filter(Boolean).join('.');
    return new Refused('WRONG_SHAPE', `${path} ${fault}`, { path });
  }
}

const quote = 0x22;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** How hex may be written in a field. */
const hexForms = {
  bare: { bare: true, prefixed: false, lowerCaseOnly: false, words: 'hex digits without 0x' },
  'with or without 0x': {
    bare: true,
    prefixed: true,
    lowerCaseOnly: false,
    words: 'hex digits with or without 0x',
  },
  'strictly 0x': {
    bare: false,
    prefixed: true,
    lowerCaseOnly: true,
    words: 'lower-case hex digits after 0x',
  },
};

function hasCapital(text: Uint8Array, end: number): boolean {
  for (let at = 0; at < end; at++) if ((text[at] ?? 0) <= 0x5a && (text[at] ?? 0) >= 0x41) return true;
  return false;
}
