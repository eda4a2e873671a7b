import type { Micros, Uuid } from '../../domain/types.ts';

/**
 * Values in Postgres' binary form, one after the other, each with its length in front: what both the elements of an
 * array parameter and the fields of a binary COPY row look like. The driver's own arrays are text, quoted element by
 * element, and take twice the time of everything else in an append (docs/adr/0001-storage-layout.md).
 *
 * One writer serves one parameter again and again: `reset` keeps the memory, so what `bytes` returned is valid only
 * until then.
 */
export class BinaryWriter {
  private buffer: Buffer;
  private end = 0;
  /** The last values of two kinds that repeat, and where they lie. */
  private lastUuid: string | null = null;
  private lastUuidAt = 0;
  private lastText: string | null = null;
  private lastTextAt = 0;
  private lastTextEnd = 0;

  constructor(capacity = 4_096) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  /** A view of what was written, not a copy. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  reset(): void {
    this.end = 0;
    this.lastUuid = null;
    this.lastText = null;
  }

  null(): void {
    this.rawInt32(-1);
  }

  /** A `bigint` given as an integer of at most 2^53 - 1 in size. */
  int64(value: number): void {
    const at = this.reserve(12);
    this.buffer.writeInt32BE(8, at);
    this.buffer.writeInt32BE(Math.floor(value / 4_294_967_296), at + 4);
    this.buffer.writeUInt32BE(value >>> 0, at + 8);
  }

  /** A `bigint` of any value. */
  bigInt64(value: bigint): void {
    const at = this.reserve(12);
    this.buffer.writeInt32BE(8, at);
    this.buffer.writeBigInt64BE(value, at + 4);
  }

  /** A `bigint` as its eight bytes. */
  int64Bytes(value: Uint8Array): void {
    const at = this.reserve(12);
    this.buffer.writeInt32BE(8, at);
    for (let index = 0; index < 8; index++) this.buffer[at + 4 + index] = value[index] ?? 0;
  }

  /** A `timestamptz`: microseconds as well, but since 2000. The years that RFC 3339 has fit a safe integer but for the last ones. */
  timestamp(value: Micros): void {
    const micros = Number(value);
    if (Number.isSafeInteger(micros)) this.int64(micros - microsAt2000);
    else this.bigInt64(value - BigInt(microsAt2000));
  }

  uuid(value: Uuid): void {
    const start = this.reserve(20);
    const buffer = this.buffer;
    // Agents and requests are the same in row after row.
    if (value === this.lastUuid) {
      for (let index = 0; index < 20; index++) buffer[start + index] = buffer[this.lastUuidAt + index] ?? 0;
      return;
    }
    this.lastUuid = value;
    this.lastUuidAt = start;
    let at = buffer.writeInt32BE(16, start);
    for (let index = 0; index < 36; index += 2) {
      if (index === 8 || index === 13 || index === 18 || index === 23) index += 1;
      buffer[at] = (nibble(value.charCodeAt(index)) << 4) | nibble(value.charCodeAt(index + 1));
      at += 1;
    }
  }

  text(value: string): void {
    const at = this.reserve(4 + value.length * 3); // UTF-8 needs at most three bytes for a UTF-16 unit.
    const { buffer } = this;
    if (value === this.lastText) {
      buffer.copyWithin(at, this.lastTextAt, this.lastTextEnd);
      this.end = at + this.lastTextEnd - this.lastTextAt;
      return;
    }
    const written = buffer.write(value, at + 4);
    buffer.writeInt32BE(written, at);
    this.end = at + 4 + written;
    this.lastText = value;
    this.lastTextAt = at;
    this.lastTextEnd = this.end;
  }

  bytea(value: Uint8Array): void {
    const at = this.reserve(4 + value.length);
    this.buffer.writeInt32BE(value.length, at);
    this.buffer.set(value, at + 4);
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.buffer.set(value, at);
  }

  rawInt16(value: number): void {
    const at = this.reserve(2);
    this.buffer.writeInt16BE(value, at);
  }

  rawInt32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeInt32BE(value, at);
  }

  /** Overwrites a number written before, for counts that are known only at the end. */
  patchInt32(at: number, value: number): void {
    this.buffer.writeInt32BE(value, at);
  }

  /** Makes room, moves the end past it, and returns where the room begins. */
  private reserve(size: number): number {
    const at = this.end;
    const needed = at + size;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, at);
      this.buffer = larger;
    }
    this.end = needed;
    return at;
  }
}

/** The types of array elements, by their numbers in Postgres' catalogue. */
export const elementTypes = { bytea: 17, int64: 20, text: 25, timestamp: 1184, uuid: 2950 } as const;

/** One array parameter: `next` for each element, then `finish`. */
export class BinaryArray {
  private readonly writer = new BinaryWriter();
  private readonly elementType: number;
  private count = 0;
  private hasNulls = false;

  constructor(elementType: keyof typeof elementTypes) {
    this.elementType = elementTypes[elementType];
    this.reset();
  }

  /** Counts one more element, which the caller must now write. */
  next(): BinaryWriter {
    this.count += 1;
    return this.writer;
  }

  nextNull(): void {
    this.hasNulls = true;
    this.next().null();
  }

  /** The parameter's bytes, valid until `reset`. */
  finish(): Buffer {
    this.writer.patchInt32(4, this.hasNulls ? 1 : 0);
    this.writer.patchInt32(12, this.count);
    return this.writer.bytes();
  }

  reset(): void {
    this.count = 0;
    this.hasNulls = false;
    const writer = this.writer;
    writer.reset();
    writer.rawInt32(1); // One dimension.
    writer.rawInt32(0); // Whether there are nulls; see `finish`.
    writer.rawInt32(this.elementType);
    writer.rawInt32(0); // How many elements; see `finish`.
    writer.rawInt32(1); // The first has index 1.
  }
}

const microsAt2000 = 946_684_800_000_000;

function nibble(charCode: number): number {
  return charCode <= 57 ? charCode - 48 : charCode - 87; // '0'…'9', 'a'…'f': ids are lower case (domain/types.ts).
}
