import { textAt } from './bytes.ts';
import type { Uuid } from './types.ts';

/**
 * Reads a UUID in any of the spellings that clients use: hyphenated, 32 bare digits, in braces, or after `urn:uuid:`,
 * in either case.
 * @returns the lower-case hyphenated form, or null when the text is no UUID
 */
export function parseUuid(text: string): Uuid | null {
  // Most texts are canonical already: one look at each character, and no new string.
  if (isCanonical(text)) return text as Uuid;
  if (text.length > longestSpelling) return null;
  const lower = text.toLowerCase();
  const inner = urn.exec(lower)?.[1] ?? braced.exec(lower)?.[1] ?? lower;
  const canonical = bare.exec(inner)?.slice(1).join('-') ?? inner;
  return isCanonical(canonical) ? (canonical as Uuid) : null;
}

/**
 * The UUID that lies at `at` in its canonical form, 36 characters long.
 * @returns null when what lies there is not in that form
 */
export function canonicalUuidAt(text: Uint8Array, at: number): Uuid | null {
  for (let index = 0; index < 36; index++) {
    if (!isCanonicalCode(text[at + index] ?? 0, index)) return null;
  }
  return textAt(text, at, at + 36) as Uuid;
}

/** The 16 bytes of a UUID in text order, which is network order. */
export function uuidBytes(uuid: Uuid): Uint8Array {
  const bytes = new Uint8Array(16);
  writeUuid(uuid, bytes, 0);
  return bytes;
}

/**
 * Writes the 16 bytes of a UUID at `offset`.
 * @returns the offset after them
 */
export function writeUuid(uuid: Uuid, target: Uint8Array, offset: number): number {
  let at = 0;
  for (let index = offset; index < offset + 16; index++) {
    if (uuid.charCodeAt(at) === hyphen) at++;
    target[index] = (digitValue(uuid.charCodeAt(at)) << 4) | digitValue(uuid.charCodeAt(at + 1));
    at += 2;
  }
  return offset + 16;
}

/** The UUID whose 16 bytes these are. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  const codes: number[] = [];
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) codes.push(hyphen);
    const byte = bytes[index] ?? 0;
    codes.push(digitCode(byte >> 4), digitCode(byte & 15));
  }
  return String.fromCharCode(...codes) as Uuid;
}

const hyphen = 0x2d;
const longestSpelling = 'urn:uuid:'.length + 36;
const urn = /^urn:uuid:(.{36})$/;
const braced = /^\{(.{36})\}$/;
const bare = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

function isCanonical(text: string): boolean {
  if (text.length !== 36) return false;
  for (let at = 0; at < 36; at++) if (!isCanonicalCode(text.charCodeAt(at), at)) return false;
  return true;
}

/** Whether the canonical form may have this character in this place. */
function isCanonicalCode(code: number, place: number): boolean {
  if (place === 8 || place === 13 || place === 18 || place === 23) return code === hyphen;
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}

/** The value of a lower-case hex digit, given its character code. */
function digitValue(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}

/** The character code of a lower-case hex digit. */
function digitCode(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
