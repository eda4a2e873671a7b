import { writeBytes, writeText, writeU32, writeU64, writeUtf8 } from './bytes.ts';
import type { Sha256 } from './sha256.ts';
import type { Hash, Uuid } from './types.ts';
import { writeUuid } from './uuid.ts';

/** The bytes that a hash is taken over, put together part by part in the notation of ves-format 1. */
export class Preimage {
  private target = new Uint8Array(512);
  private length = 0;

  /** @param domain the separator that keeps hashes of one purpose apart from those of any other; empty for none */
  constructor(domain: string) {
    this.rawText(domain);
  }

  u32(value: number): this {
    this.length = writeU32(value, this.room(4), this.length);
    return this;
  }

  /** A safe integer as 64 bits. */
  u64(value: number): this {
    this.length = writeU64(value, this.room(8), this.length);
    return this;
  }

  /** A safe integer as 64 bits, little-endian, as only legacy state roots have it. */
  u64le(value: number): this {
    const target = this.room(8);
    this.length = writeU64(value, target, this.length);
    target.subarray(this.length - 8, this.length).reverse();
    return this;
  }

  uuid(uuid: Uuid): this {
    this.length = writeUuid(uuid, this.room(16), this.length);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.length = writeBytes(bytes, this.room(bytes.length), this.length);
    return this;
  }

  /** Text with its length before it. */
  text(text: string): this {
    this.length = writeText(text, this.room(4 + 3 * text.length), this.length);
    return this;
  }

  /** Text without its length. */
  rawText(text: string): this {
    this.length = writeUtf8(text, this.room(3 * text.length), this.length);
    return this;
  }

  /** What has been put together so far. */
  view(): Uint8Array {
    return this.target.subarray(0, this.length);
  }

  hash(sha256: Sha256): Hash {
    return sha256(this.view());
  }

  private room(bytes: number): Uint8Array {
    const needed = this.length + bytes;
    if (needed > this.target.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.view());
      this.target = grown;
    }
    return this.target;
  }
}
