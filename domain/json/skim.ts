/**
 * Looking something up in JSON without reading it: nothing is checked, so what is found means something only once the whole
 * document has been read. Offsets that can't be found are -1, and everything accepts -1 for "not found".
 */

/**
 * Where the value of a member begins.
 * @param at where the object begins
 * @returns -1 when there is no object at `at`, or none with that member
 */
export function skimMember(input: Uint8Array, at: number, name: string): number {
  if (input[at] !== 0x7b) return -1;
  let memberAt = skipSpace(input, at + 1);
  while (input[memberAt] === quote) {
    const nameEnd = skipString(input, memberAt);
    const colonAt = skipSpace(input, nameEnd);
    if (input[colonAt] !== 0x3a) return -1;
    const valueAt = skipSpace(input, colonAt + 1);
    if (isName(input, memberAt, nameEnd, name)) return valueAt;
    const separatorAt = skipValue(input, valueAt);
    if (input[separatorAt] !== 0x2c) return -1;
    memberAt = skipSpace(input, separatorAt + 1);
  }
  return -1;
}

/**
 * Where the first element of the array at `at` begins.
 * @returns -1 when there is no array, and -2 when it is empty
 */
export function skimFirstElement(input: Uint8Array, at: number): number {
  if (input[at] !== 0x5b) return -1;
  const elementAt = skipSpace(input, at + 1);
  return input[elementAt] === 0x5d ? -2 : elementAt;
}

/** The string at `at`, or null when there is none. */
export function skimString(input: Uint8Array, at: number): string | null {
  if (input[at] !== quote) return null;
  try {
    return JSON.parse(utf8.decode(input.subarray(at, skipString(input, at)))) as string;
  } catch {
    return null;
  }
}

/** The first byte from `at` on that is no white space. */
export function skipSpace(input: Uint8Array, at: number): number {
  let byte = input[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = input[++at];
  return at;
}

const quote = 0x22;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Whether the string from `at` to `end` spells an ASCII name. */
function isName(input: Uint8Array, at: number, end: number, name: string): boolean {
  const length = end - at - 2;
  // An escaped spelling is longer.
  if (length !== name.length) return length > name.length && skimString(input, at) === name;
  for (let index = 0; index < length; index++) {
    if (input[at + 1 + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

function skipString(input: Uint8Array, at: number): number {
  for (at++; at < input.length; at++) {
    const byte = input[at];
    if (byte === quote) return at + 1;
    if (byte === 0x5c) at++;
  }
  return at;
}

/** Where the comma or the bracket is that ends a value. */
function skipValue(input: Uint8Array, at: number): number {
  let open = 0;
  for (; at < input.length; at++) {
    switch (input[at]) {
      case quote:
        at = skipString(input, at) - 1;
        break;
      case 0x7b:
      case 0x5b:
        open++;
        break;
      case 0x7d:
      case 0x5d:
        // The bracket of the object around a bare word is not part of it.
        if (open === 0) return at;
        open--;
        break;
      case 0x2c:
        if (open === 0) return at;
    }
  }
  return at;
}
