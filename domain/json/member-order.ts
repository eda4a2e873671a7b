import type { TextForm } from './number.ts';

/**
 * The members of the objects that are being written, innermost last, as places in the output; and their sorting. Three
 * numbers a member in one growing array, so that an object costs no allocation.
 */
export class MemberStack {
  private readonly form: TextForm;
  private places = new Int32Array(3 * 256);
  private order = new Int32Array(256);
  private foundEqual = false;
  count = 0;

  constructor(form: TextForm) {
    this.form = form;
  }

  /** Adds a member whose name lies, with its quotes, at `nameStart` … `nameEnd`, and which ends at `end`. */
  push(nameStart: number, nameEnd: number, end: number): void {
    const at = this.count * 3;
    if (at === this.places.length) {
      const grown = new Int32Array(at * 2);
      grown.set(this.places);
      this.places = grown;
      this.order = new Int32Array(this.count * 2);
    }
    this.places[at] = nameStart;
    this.places[at + 1] = nameEnd;
    this.places[at + 2] = end;
    this.count++;
  }

  /** Whether the last member's name sorts after that of the one before. */
  lastIsInOrder(output: Uint8Array): boolean {
    return this.compare(output, this.count - 2, this.count - 1) < 0;
  }

  /**
   * Rewrites the members from number `first` on in the order of their names, separated by commas. Of equal names the last
   * one stays.
   * @param output must have room for a second copy of these members after their end
   * @returns where they end now
   */
  sort(output: Uint8Array, first: number): number {
    this.foundEqual = false;
    const size = this.count - first;
    if (size > insertionSortMax) this.sortMany(output, first, size);
    else this.sortFew(output, first, size);

    const { order } = this;
    const start = this.nameStart(first);
    const length = this.end(this.count - 1) - start;
    // The members move aside as one block and come back one by one.
    copyWithin(output, start + length, start, length);
    let at = start;
    for (let index = 0; index < size; index++) {
      const member = order[index] ?? 0;
      // Of equal names, which are neighbours now, all but the last stay away. Names are compared in the block aside.
      const next = index + 1 < size && this.foundEqual ? (order[index + 1] ?? 0) : -1;
      if (next >= 0 && this.compare(output, member, next, length) === 0) continue;
      if (at > start) output[at++] = comma;
      const memberStart = this.nameStart(member);
      const memberLength = this.end(member) - memberStart;
      copyWithin(output, at, memberStart + length, memberLength);
      at += memberLength;
    }
    return at;
  }

  /** Puts the numbers of the members from `first` on into `order`, by name and then by place. */
  private sortFew(output: Uint8Array, first: number, size: number): void {
    const { order } = this;
    for (let index = 0; index < size; index++) {
      const member = first + index;
      let hole = index;
      while (hole > 0) {
        const before = order[hole - 1] ?? 0;
        if (this.compare(output, before, member) <= 0) break;
        order[hole--] = before;
      }
      order[hole] = member;
    }
  }

  /** The same, never in quadratic time. */
  private sortMany(output: Uint8Array, first: number, size: number): void {
    const order = this.order.subarray(0, size);
    for (let index = 0; index < size; index++) order[index] = first + index;
    order.sort((a, b) => this.compare(output, a, b) || a - b);
  }

  /** Below, at or above zero as one member's name sorts before, like or after another's. */
  private compare(output: Uint8Array, a: number, b: number, shift = 0): number {
    // Without the quotes on both sides.
    let atA = this.nameStart(a) + shift + 1;
    let atB = this.nameStart(b) + shift + 1;
    const endA = this.nameEnd(a) + shift - 1;
    const endB = this.nameEnd(b) + shift - 1;
    while (atA < endA && atB < endB) {
      let codeA = output[atA++] ?? 0;
      let codeB = output[atB++] ?? 0;
      if (codeA === codeB && codeA !== backslash) continue;
      // Names compare as they read, not as they are escaped. Only characters below 0x80 ever are.
      if (codeA === backslash) {
        codeA = escapedCode(output, atA);
        atA += escapeLength(output, atA);
      }
      if (codeB === backslash) {
        codeB = escapedCode(output, atB);
        atB += escapeLength(output, atB);
      }
      if (codeA !== codeB) return this.form === 'legacy' ? codeA - codeB : utf16Order(codeA, codeB);
    }
    const rest = endA - atA - (endB - atB);
    if (rest === 0) this.foundEqual = true;
    return rest;
  }

  private nameStart(member: number): number {
    return this.places[member * 3] ?? 0;
  }

  private nameEnd(member: number): number {
    return this.places[member * 3 + 1] ?? 0;
  }

  private end(member: number): number {
    return this.places[member * 3 + 2] ?? 0;
  }
}

/** From this many members on a sort that is never quadratic is worth its start-up. */
const insertionSortMax = 32;
const comma = 0x2c;
const backslash = 0x5c;
const lowerU = 0x75;

/** What the escape whose backslash lies before `at` stands for; the output holds canonical escapes only. */
function escapedCode(output: Uint8Array, at: number): number {
  const letter = output[at] ?? 0;
  if (letter === lowerU) {
    const high = output[at + 3] ?? 0;
    const low = output[at + 4] ?? 0;
    return (high - 0x30) * 16 + (low <= 0x39 ? low - 0x30 : low - 0x57);
  }
  return codeOfEscape[letter] ?? letter;
}

function escapeLength(output: Uint8Array, at: number): number {
  return output[at] === lowerU ? 5 : 1;
}

/** By letter: b, f, n, r, t. A quote and a backslash stand for themselves. */
const codeOfEscape: Readonly<Record<number, number>> = { 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9 };

/**
 * The order of the UTF-16 code units of two names at their first differing UTF-8 byte. It is the order of the bytes, except
 * that a supplementary character (lead byte from 0xF0) begins with a surrogate, below U+E000 to U+FFFF (0xEE and 0xEF).
 */
function utf16Order(a: number, b: number): number {
  if (a >= 0xf0 && (b === 0xee || b === 0xef)) return -1;
  if (b >= 0xf0 && (a === 0xee || a === 0xef)) return 1;
  return a - b;
}

/** For the short runs that most members are, a loop beats the call. */
function copyWithin(bytes: Uint8Array, to: number, from: number, length: number): void {
  if (length > 64) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  for (let index = 0; index < length; index++) bytes[to + index] = bytes[from + index] ?? 0;
}
