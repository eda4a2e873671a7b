import { hexDigit } from '../bytes.ts';

/** The characters of JSON strings: UTF-8 in, escapes in, canonical text out. */

/** How many bytes the character beyond ASCII at `at` takes, or 0 when it is not well-formed UTF-8. */
export function characterLength(input: Uint8Array, at: number): number {
  const lead = input[at] ?? 0;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  // The bounds of the second byte keep out overlong forms, surrogates, and what lies beyond U+10FFFF.
  const min = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const max = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = input[at + 1] ?? 0;
  if (second < min || second > max) return 0;
  if (lead < 0xe0) return 2;
  if (!isContinuation(input[at + 2] ?? 0)) return 0;
  if (lead < 0xf0) return 3;
  return isContinuation(input[at + 3] ?? 0) ? 4 : 0;
}

/**
 * The character that the escape at `at` stands for, both halves of a surrogate pair taken together; -1 when there is no
 * such escape, and -2 when it is half of a surrogate pair.
 */
export function escapedCharacter(input: Uint8Array, at: number): number {
  const letter = input[at + 1] ?? 0;
  if (letter !== lowerU) return characterOfLetter[letter] ?? -1;
  const unit = codeUnit(input, at);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || input[at + 6] !== backslash || input[at + 7] !== lowerU) return -2;
  const low = codeUnit(input, at + 6);
  if (low < 0) return -1;
  return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : -2;
}

/** How many bytes the escape at `at` takes, which stands for `character`. */
export function escapeLength(input: Uint8Array, at: number, character: number): number {
  if (input[at + 1] !== lowerU) return 2;
  return character > 0xffff ? 12 : 6;
}

/**
 * Writes a character as canonical text has it in a string: raw UTF-8, and the shortest escape where one is needed.
 * @returns the offset after it
 */
export function writeCharacter(character: number, output: Uint8Array, at: number): number {
  if (character < 0x20 || character === quote || character === backslash) {
    return writeEscape(character, output, at);
  }
  if (character < 0x80) {
    output[at++] = character;
    return at;
  }
  if (character < 0x800) {
    output[at++] = 0xc0 | (character >> 6);
  } else {
    if (character < 0x10000) {
      output[at++] = 0xe0 | (character >> 12);
    } else {
      output[at++] = 0xf0 | (character >> 18);
      output[at++] = 0x80 | ((character >> 12) & 0x3f);
    }
    output[at++] = 0x80 | ((character >> 6) & 0x3f);
  }
  output[at++] = 0x80 | (character & 0x3f);
  return at;
}

const quote = 0x22;
const backslash = 0x5c;
const lowerU = 0x75;

/** What each letter after a backslash stands for; u is not among them. */
const characterOfLetter: Readonly<Record<number, number>> = {
  [quote]: quote,
  [backslash]: backslash,
  0x2f: 0x2f,
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: 0x0a,
  0x72: 0x0d,
  0x74: 0x09,
};

/** The letters of the characters that have one; a slash has one too, but needs none. */
const letterOfCharacter: Readonly<Record<number, number>> = {
  [quote]: quote,
  [backslash]: backslash,
  0x08: 0x62,
  0x0c: 0x66,
  0x0a: 0x6e,
  0x0d: 0x72,
  0x09: 0x74,
};

function writeEscape(character: number, output: Uint8Array, at: number): number {
  output[at++] = backslash;
  const letter = letterOfCharacter[character];
  if (letter !== undefined) {
    output[at++] = letter;
    return at;
  }
  output[at++] = lowerU;
  output[at++] = 0x30;
  output[at++] = 0x30;
  output[at++] = 0x30 + (character >> 4);
  const low = character & 15;
  output[at++] = low < 10 ? 0x30 + low : 0x57 + low;
  return at;
}

/** The four hex digits of the escape at `at`, or -1. */
function codeUnit(input: Uint8Array, at: number): number {
  let unit = 0;
  for (let index = at + 2; index < at + 6; index++) {
    const digit = hexDigit(input[index] ?? 0);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}
