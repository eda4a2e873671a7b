import { Refused } from '../errors.ts';
import { characterLength, escapedCharacter, escapeLength, writeCharacter } from './characters.ts';
import { pathAt } from './location.ts';
import { MemberStack } from './member-order.ts';
import { canonicalNumber } from './number.ts';
import type { TextForm } from './number.ts';

/** How deep values may nest, counted from the document. */
export const depthMax = 127;

/**
 * Reads JSON from bytes and writes its canonical text in the same pass, with no object for any value. Grammar, UTF-8,
 * surrogates, depth and the range of numbers are checked on the way; only what is read is checked.
 *
 * Every method that reads takes the offset where to begin and returns the one after what it read. What it writes goes to
 * `output` from `end` on, so set `end` to 0 before a text of its own. One reader serves one document after the other; the
 * output is overwritten by the next.
 */
export class JsonReader {
  input: Uint8Array = new Uint8Array(0);
  /** May be replaced by a larger one by any method that reads. */
  output: Uint8Array = new Uint8Array(64 * 1024);
  /** Where the text in `output` ends. */
  end = 0;
  /** Whether the last string that was read is ASCII and has no escape in its canonical text. */
  plain = true;
  private readonly form: TextForm;
  private readonly members: MemberStack;

  constructor(form: TextForm) {
    this.form = form;
    this.members = new MemberStack(form);
  }

  /** Begins a document; whatever an earlier one left behind is gone. */
  open(input: Uint8Array): void {
    this.input = input;
    this.end = 0;
    this.members.count = 0;
    // One large document must not hold its memory for ever.
    if (this.output.length > keptOutputMax) this.output = new Uint8Array(64 * 1024);
    this.makeRoom(0);
  }

  /** What was written since `end` was 0; a view, valid until the next text. Made directly, since `subarray` takes longer. */
  canonical(): Uint8Array {
    return new Uint8Array(this.output.buffer, 0, this.end);
  }

  /** Skips white space. */
  space(at: number): number {
    let byte = this.input[at] ?? 0;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.input[++at] ?? 0;
    return at;
  }

  /** Skips white space and checks that nothing follows. */
  finish(at: number): void {
    const end = this.space(at);
    if (end < this.input.length) throw this.fault(end, 'something follows the end of the document');
  }

  /** Skips the colon between a name and its value, and the space around it. */
  colon(at: number): number {
    const colonAt = this.space(at);
    if (this.input[colonAt] !== colon) throw this.fault(colonAt, 'a colon is missing after a name');
    return this.space(colonAt + 1);
  }

  /**
   * Reads what follows a member or an element: a comma, or the bracket `close`.
   * @returns the offset of the next one, or minus the offset after the bracket
   */
  separator(at: number, close: number): number {
    const found = this.space(at);
    if (this.input[found] === comma) return this.space(found + 1);
    if (this.input[found] === close) return -(found + 1);
    throw this.fault(found, `a comma or ${String.fromCharCode(close)} is missing`);
  }

  /**
   * Reads any value, which must begin at `at` with no space before it.
   * @param depth how many arrays and objects are open around it
   */
  value(at: number, depth: number): number {
    const byte = this.input[at] ?? 0;
    if (byte === quote) return this.string(at);
    if (byte === openBrace) return this.object(at, depth);
    if (byte === openBracket) return this.array(at, depth);
    if (byte === minus || (byte >= zero && byte <= nine)) return this.number(at);
    if (byte === 0x74) return this.literal(at, 'true');
    if (byte === 0x66) return this.literal(at, 'false');
    if (byte === 0x6e) return this.literal(at, 'null');
    throw this.fault(at, 'a value is missing');
  }

  /** Reads a string, whose quote must be at `at`. */
  string(at: number): number {
    if (this.input[at] !== quote) throw this.fault(at, 'a name in double quotes is missing');
    const { input, output } = this;
    const limit = input.length;
    let out = this.end;
    output[out++] = quote;
    this.plain = true;
    for (at++; at < limit;) {
      const byte = input[at] ?? 0;
      if (plainBytes[byte] === 1) {
        output[out++] = byte;
        at++;
      } else if (byte === quote) {
        output[out] = quote;
        this.end = out + 1;
        return at + 1;
      } else {
        this.end = out;
        at = this.unusualCharacter(at);
        out = this.end;
      }
    }
    throw this.fault(at, 'a string is not closed');
  }

  /** The error that says what is wrong at an offset, and in which field. */
  fault(at: number, sentence: string): Refused {
    const offset = Math.min(at, this.input.length);
    const path = pathAt(this.input, offset);
    const place = `at byte ${offset}${path === '' ? '' : `, in ${path}`}`;
    return new Refused('UNREADABLE_JSON', `not JSON: ${sentence} (${place})`, { offset, path });
  }

  private object(start: number, depth: number): number {
    if (depth >= depthMax) throw this.fault(start, `values nest deeper than ${depthMax} levels`);
    const { input, members } = this;
    this.output[this.end++] = openBrace;
    let at = this.space(start + 1);
    if (input[at] === closeBrace) {
      this.output[this.end++] = closeBrace;
      return at + 1;
    }
    const first = members.count;
    let inOrder = true;
    do {
      if (members.count > first) this.output[this.end++] = comma;
      const nameStart = this.end;
      at = this.string(at);
      const nameEnd = this.end;
      at = this.colon(at);
      this.output[this.end++] = colon;
      at = this.separator(this.value(at, depth + 1), closeBrace);
      members.push(nameStart, nameEnd, this.end);
      inOrder &&= members.count === first + 1 || members.lastIsInOrder(this.output);
    } while (at > 0);
    if (!inOrder) {
      this.makeRoom(-at, this.end - (start + 1));
      this.end = members.sort(this.output, first);
    }
    members.count = first;
    this.output[this.end++] = closeBrace;
    return -at;
  }

  private array(start: number, depth: number): number {
    if (depth >= depthMax) throw this.fault(start, `values nest deeper than ${depthMax} levels`);
    this.output[this.end++] = openBracket;
    let at = this.space(start + 1);
    if (this.input[at] === closeBracket) {
      this.output[this.end++] = closeBracket;
      return at + 1;
    }
    for (;;) {
      at = this.separator(this.value(at, depth + 1), closeBracket);
      if (at <= 0) break;
      this.output[this.end++] = comma;
    }
    this.output[this.end++] = closeBracket;
    return -at;
  }

  /** Reads a character of a string that is escaped or not ASCII. */
  private unusualCharacter(at: number): number {
    const { input, output } = this;
    const byte = input[at] ?? 0;
    if (byte >= 0x80) {
      const length = characterLength(input, at);
      if (length === 0) throw this.fault(at, 'a string is not UTF-8');
      for (let index = at; index < at + length; index++) output[this.end++] = input[index] ?? 0;
      this.plain = false;
      return at + length;
    }
    if (byte !== backslash) throw this.fault(at, 'a string has a control character that is not escaped');
    const character = escapedCharacter(input, at);
    if (character < 0) throw this.fault(at, wrongEscape(character));
    const end = writeCharacter(character, output, this.end);
    if (end > this.end + 1) this.plain = false;
    this.end = end;
    return at + escapeLength(input, at, character);
  }

  private literal(at: number, word: string): number {
    for (let index = 0; index < word.length; index++) {
      const code = word.charCodeAt(index);
      if (this.input[at + index] !== code) throw this.fault(at, 'a value is missing');
      this.output[this.end++] = code;
    }
    return at + word.length;
  }

  private number(start: number): number {
    const { input } = this;
    const unsigned = input[start] === minus ? start + 1 : start;
    const integerEnd = this.digits(unsigned);
    const leadingZero = input[unsigned] === zero;
    if (leadingZero && integerEnd > unsigned + 1) throw this.fault(start, 'a number begins with a zero');
    const fractionEnd = input[integerEnd] === point ? this.digits(integerEnd + 1) : integerEnd;
    let end = fractionEnd;
    if (input[end] === lowerE || input[end] === upperE) {
      const sign = input[end + 1];
      end = this.digits(sign === plus || sign === minus ? end + 2 : end + 1);
    }

    // A double keeps 15 decimal digits, so a short token that has no needless zero is canonical as it stands.
    if (end === fractionEnd && end - start <= 16) {
      const isInteger = end === integerEnd;
      const asItStands = isInteger
        ? end - unsigned <= 15 && !(leadingZero && unsigned > start)
        : input[end - 1] !== zero && (!leadingZero || this.nonZeroBefore(integerEnd + 6, integerEnd + 1));
      if (asItStands) {
        for (let at = start; at < end; at++) this.output[this.end++] = input[at] ?? 0;
        return end;
      }
    }
    const text = canonicalNumber(ascii.decode(input.subarray(start, end)), end === integerEnd, this.form);
    if (text === null) throw this.fault(start, 'a number is out of range');
    for (let at = 0; at < text.length; at++) this.output[this.end++] = text.charCodeAt(at);
    // The one place where the text may be longer than what it was read from.
    this.makeRoom(end);
    return end;
  }

  /** Reads one digit or more. */
  private digits(at: number): number {
    const start = at;
    while (isDigit(this.input[at] ?? 0)) at++;
    if (at === start) throw this.fault(at, 'a digit is missing in a number');
    return at;
  }

  /** Whether one of the bytes from `start` to before `end` is not a zero. */
  private nonZeroBefore(end: number, start: number): boolean {
    for (let at = start; at < end; at++) if (this.input[at] !== zero) return true;
    return false;
  }

  /**
   * Makes the output as long as what is left to read from `at` can become, and `extra` bytes more. All but a few tokens get
   * shorter or stay as long, so this holds until the next one that doesn't.
   */
  private makeRoom(at: number, extra = 0): void {
    const needed = this.end + extra + (this.input.length - at) + slack;
    if (needed <= this.output.length) return;
    const grown = new Uint8Array(needed + (needed >> 1));
    grown.set(this.output.subarray(0, this.end));
    this.output = grown;
  }
}

const keptOutputMax = 1024 * 1024;
/** More than any number takes. */
const slack = 64;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const lowerE = 0x65;
const upperE = 0x45;
const ascii = new TextDecoder();
/** 1 for each byte that stands for itself in a string, in JSON as in canonical text. */
const plainBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== quote && byte !== backslash ? 1 : 0,
);

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

function wrongEscape(found: number): string {
  return found === -2 ? 'a string has half of a surrogate pair' : 'a string has an unknown escape';
}
