import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';

/**
 * A message that is longer than the transport takes travels in parts, each with a header of 32 bytes:
 *
 * | bytes   | meaning                                                                        |
 * | ------- | ------------------------------------------------------------------------------ |
 * | 0       | 0, which no whole message begins with: in CBOR that is a number, and all are maps |
 * | 1       | version of this layout, 1                                                      |
 * | 2 – 3   | 0                                                                              |
 * | 4 – 19  | the message's id                                                               |
 * | 20 – 23 | this part's place, from 0                                                      |
 * | 24 – 27 | how many parts there are, at least 2                                           |
 * | 28 – 31 | bytes of the whole message                                                     |
 *
 * Numbers are big-endian. All parts but the last are equally long, so a part's place says where its bytes go.
 */
const headerBytes = 32;
const version = 1;

/** Cuts messages into parts. One for each process: the ids that it gives are unique across the cluster. */
export class MessageCutter {
  private readonly origin = randomBytes(8);
  private messageCount = 0n;

  /**
   * @param partBytesMax what the transport takes, more than a header
   * @returns the parts in order; just the message when it fits
   */
  cut(message: Uint8Array, partBytesMax: number): Uint8Array[] {
    if (message.length <= partBytesMax) return [message];
    const count = Math.ceil(message.length / (partBytesMax - headerBytes));
    const contentBytes = Math.ceil(message.length / count);
    const number = this.messageCount++;
    return Array.from({ length: count }, (_, place) => {
      const content = message.subarray(place * contentBytes, (place + 1) * contentBytes);
      const part = Buffer.alloc(headerBytes + content.length);
      part[1] = version;
      this.origin.copy(part, 4);
      part.writeBigUInt64BE(number, 12);
      part.writeUInt32BE(place, 20);
      part.writeUInt32BE(count, 24);
      part.writeUInt32BE(message.length, 28);
      part.set(content, headerBytes);
      return part;
    });
  }
}

export function isPart(data: Uint8Array): boolean {
  return data[0] === 0;
}

export interface PartialMessagesOptions {
  readonly clock: Clock;
  /** A longer message is refused with its first part. */
  readonly messageBytesMax: number;
  /** Bound of all unfinished messages together. */
  readonly heldBytesMax: number;
  /** An unfinished message is forgotten after this long: a part of it was lost. */
  readonly patienceMs: number;
  /** Told of what was not put together, and why. */
  readonly onDropped: (reason: string) => void;
}

interface Partial {
  readonly bytes: Buffer;
  readonly count: number;
  readonly arrived: Set<number>;
  readonly timer: { cancel(): void };
}

/** Puts parts together again, in whatever order and however often they come. */
export class PartialMessages {
  private readonly options: PartialMessagesOptions;
  private readonly unfinished = new Map<string, Partial>();
  private held = 0;

  constructor(options: PartialMessagesOptions) {
    this.options = options;
  }

  /** Bytes set aside for unfinished messages. */
  get heldBytes(): number {
    return this.held;
  }

  /** Takes one part. @returns the whole message once this part completes it, else null */
  add(part: Buffer): Buffer | null {
    const { messageBytesMax } = this.options;
    if (part.length <= headerBytes || part[1] !== version)
      return this.drop('a part has no header that we know');
    const id = part.toString('latin1', 4, 20);
    const place = part.readUInt32BE(20);
    const count = part.readUInt32BE(24);
    const messageBytes = part.readUInt32BE(28);
    const contentBytes = Math.ceil(messageBytes / count);
    const from = place * contentBytes;
    const fits =
      count >= 2 &&
      place < count &&
      part.length - headerBytes === Math.min(contentBytes, messageBytes - from);
    if (!fits) return this.drop('the header of a part contradicts its length');
    if (messageBytes > messageBytesMax) {
      return this.drop(
        `a message of ${messageBytes} bytes is longer than the ${messageBytesMax} that may come`,
      );
    }
    const partial = this.unfinished.get(id) ?? this.begin(id, count, messageBytes);
    if (partial === null) return null;
    if (partial.count !== count || partial.bytes.length !== messageBytes) {
      return this.drop('two parts of a message disagree about it');
    }
    part.copy(partial.bytes, from, headerBytes);
    partial.arrived.add(place);
    if (partial.arrived.size < count) return null;
    this.forget(id, partial);
    return partial.bytes;
  }

  /** Forgets everything that is unfinished. */
  clear(): void {
    for (const [id, partial] of this.unfinished) this.forget(id, partial);
  }

  private begin(id: string, count: number, messageBytes: number): Partial | null {
    const { clock, heldBytesMax, patienceMs } = this.options;
    if (this.held + messageBytes > heldBytesMax) {
      return this.drop(
        `unfinished messages already take ${this.held} bytes of the ${heldBytesMax} that they may`,
      );
    }
    const partial: Partial = {
      bytes: Buffer.allocUnsafeSlow(messageBytes),
      count,
      arrived: new Set(),
      timer: clock.after(patienceMs, () => {
        this.forget(id, partial);
        this.drop(`of a message ${partial.arrived.size} of ${count} parts came within ${patienceMs} ms`);
      }),
    };
    this.unfinished.set(id, partial);
    this.held += messageBytes;
    return partial;
  }

  private forget(id: string, partial: Partial): void {
    partial.timer.cancel();
    this.unfinished.delete(id);
    this.held -= partial.bytes.length;
  }

  private drop(reason: string): null {
    this.options.onDropped(reason);
    return null;
  }
}
