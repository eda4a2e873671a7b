import { randomBytes, randomUUID } from 'node:crypto';
import type { Micros, Uuid } from '../../domain/types.ts';
import { BinaryWriter } from '../../storage/postgres/binary-encode.ts';

/** What rows of unsigned events are made from. */
export interface RowSource {
  readonly storeNumber: number;
  readonly payloads: readonly Buffer[];
  /** Which the events are of in turn; each is of one of its own unless given. */
  readonly entities?: readonly RowEntity[];
}

export interface RowEntity {
  readonly id: string;
  readonly hash: bigint;
}

export const rowEntityType = 'order';

const columns =
  'store_number, sequence, sequenced_at, created_at, entity_hash, event_id, source_agent, request_id, ' +
  'entity_type, entity_id, event_type, payload_hash, leaf_hash, payload';
const columnCount = columns.split(',').length;
/** The fixed start of the binary format, then no flags and no header extension. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** The statement that takes what a `RowEncoder` makes. */
export const copyRows = `copy legacy_events (${columns}) from stdin (format binary)`;

/** Rows of the table of unsigned events as binary COPY takes them, from the first sequence of a store on. */
export class RowEncoder {
  private readonly source: RowSource;
  private readonly hashes = Array.from({ length: 1_000 }, () => randomBytes(32));
  private readonly agent = randomUUID() as Uuid;
  /** One is sent while the other is written. */
  private writer = new BinaryWriter(4 << 20);
  private other = new BinaryWriter(4 << 20);
  private sequence = 0;

  constructor(source: RowSource) {
    this.source = source;
  }

  /** The next rows; valid until the call after the next. */
  encode(rows: number): Buffer {
    [this.writer, this.other] = [this.other, this.writer];
    const { writer } = this;
    const { storeNumber, payloads } = this.source;
    const now = (BigInt(Date.now()) * 1_000n) as Micros;
    const requestId = randomUUID() as Uuid;
    writer.reset();
    writer.raw(signature);
    for (let row = 0; row < rows; row += 1) {
      this.sequence += 1;
      const hash = this.pick(this.hashes);
      const eventId = randomUUID() as Uuid;
      writer.rawInt16(columnCount);
      writer.int64(storeNumber);
      writer.int64(this.sequence);
      writer.timestamp(now);
      writer.timestamp(now);
      const entity = this.entityOf(hash, eventId);
      writer.bigInt64(entity.hash);
      writer.uuid(eventId);
      writer.uuid(this.agent);
      writer.uuid(requestId);
      writer.text(rowEntityType);
      writer.text(entity.id);
      writer.text('order.updated');
      writer.bytea(hash);
      writer.bytea(hash);
      writer.bytea(this.pick(payloads));
    }
    writer.rawInt16(-1);
    return writer.bytes();
  }

  private entityOf(hash: Buffer, eventId: Uuid): RowEntity {
    const { entities } = this.source;
    if (entities !== undefined) return entities[this.sequence % entities.length]!;
    const id = `order-${eventId.slice(0, 8)}${eventId.slice(-8)}`;
    return { id, hash: hash.readBigInt64BE(0) + BigInt(this.sequence) };
  }

  private pick(values: readonly Buffer[]): Buffer {
    return values[Math.floor(Math.random() * values.length)] ?? Buffer.alloc(32);
  }
}
