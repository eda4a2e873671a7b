/** Whether texts of binary values may be written in any usual way or in one only (ves-format 1.2). */
export type Strictness = 'lenient' | 'strict';

/**
 * Reads base64url.
 * @param strictness `lenient` takes padded text as well
 * @returns null for foreign characters, a length that no bytes have, or bits beyond the last byte that are not zero
 */
export function parseBase64Url(text: string, strictness: Strictness): Uint8Array | null {
  const padded = strictness === 'lenient' && text.length % 4 === 0;
  const digits = padded ? text.replace(/={1,2}$/, '') : text;
  const rest = digits.length % 4;
  if (rest === 1) return null;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    const value = valueOfCode[digits.charCodeAt(index)] ?? -1;
    if (value < 0) return null;
    bits = (bits << 6) | value;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[at++] = bits >> bitCount;
    bits &= (1 << bitCount) - 1;
  }
  return bits === 0 ? bytes : null;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const valueOfCode = Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)));
