/** Reading and writing the byte forms that hashes are taken over, and hex text. */

/**
 * Writes an unsigned 32-bit integer, big-endian.
 * @returns the offset after it
 */
export function writeU32(value: number, target: Uint8Array, offset: number): number {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
  return offset + 4;
}

/**
 * Writes a non-negative safe integer as unsigned 64 bits, big-endian.
 * @returns the offset after it
 */
export function writeU64(value: number, target: Uint8Array, offset: number): number {
  writeU32(Math.floor(value / 0x1_0000_0000), target, offset);
  return writeU32(value >>> 0, target, offset + 4);
}

/**
 * Writes bytes.
 * @returns the offset after them
 */
export function writeBytes(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  // Below some dozens of bytes a loop beats the call.
  if (bytes.length > 48) target.set(bytes, offset);
  else for (let index = 0; index < bytes.length; index++) target[offset + index] = bytes[index] ?? 0;
  return offset + bytes.length;
}

/**
 * Writes text as UTF-8. The target must have room for three bytes a UTF-16 code unit.
 * @returns the offset after it
 */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return offset + utf8.encodeInto(text, target.subarray(offset)).written;
    target[offset + index] = code;
  }
  return offset + text.length;
}

/**
 * Writes text as UTF-8 after its length in bytes as an unsigned 32-bit integer. The target must have room for four bytes
 * and three for each UTF-16 code unit.
 * @returns the offset after it
 */
export function writeText(text: string, target: Uint8Array, offset: number): number {
  const end = writeUtf8(text, target, offset + 4);
  writeU32(end - offset - 4, target, offset);
  return end;
}

/** How many bytes a text takes as UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x7f) continue;
    // Both halves of a surrogate pair add one: four bytes for two code units.
    length += code <= 0x7ff || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return length;
}

/** The order of two texts by their UTF-8 bytes, which is that of their code points: below, at or above zero. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA === unitB) continue;
    // Surrogates stand for the highest code points, above U+E000 to U+FFFF, though their units are below those.
    const isHighA = unitA >= 0xd800 && unitA <= 0xdfff;
    const isHighB = unitB >= 0xd800 && unitB <= 0xdfff;
    if (isHighA !== isHighB) return isHighA ? 1 : -1;
    return unitA - unitB;
  }
  return a.length - b.length;
}

/**
 * The text that lies at `start` … `end` as well-formed UTF-8. A short one is copied to where a view of its length is ready: making a
 * view takes as long as reading from it.
 */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  const target = shortTargets[end - start];
  if (target === undefined) return decoder.decode(bytes.subarray(start, end));
  for (let index = 0; index < target.length; index++) target[index] = bytes[start + index] ?? 0;
  return decoder.decode(target);
}

/** A text as UTF-8. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** Texts, as UTF-8, and bytes, one after the other. */
export function joinBytes(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const chunks = parts.map((part) => (typeof part === 'string' ? utf8.encode(part) : part));
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Bytes as lower-case hex without a prefix. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexOfByte[byte] ?? '';
  return text;
}

/**
 * Reads hex without a prefix, in either case.
 * @returns null when the text is not exactly `length` bytes of hex
 */
export function parseHex(text: string, length: number): Uint8Array | null {
  return text.length === length * 2 ? hexBytes(utf8.encode(text), 0, length) : null;
}

/**
 * The `length` bytes whose hex digits lie at `start`, in either case.
 * @returns null when one of them is no hex digit
 */
export function hexBytes(text: Uint8Array, start: number, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    const high = hexDigit(text[start + index * 2] ?? 0);
    const low = hexDigit(text[start + index * 2 + 1] ?? 0);
    if (high < 0 || low < 0) return null;
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

/** Whether two byte strings are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** The value of a hex digit given its character code, or -1. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** By length. */
const shortTargets = Array.from({ length: 65 }, (_, length) => new Uint8Array(length));
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
