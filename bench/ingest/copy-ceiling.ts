import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Micros, Uuid } from '../../domain/types.ts';
import { BinaryWriter } from '../../storage/postgres/binary-encode.ts';
import { runCopy } from '../storage/copy-in.ts';
import { samplePayloads } from '../load/request-template.ts';

export interface CopyPlan {
  readonly databaseUrl: string;
  readonly payload: string;
  readonly connections: number;
  readonly measureMs: number;
}

const rowsPerCopy = 2_000;
/** Store numbers that no store gets; the table has no foreign key, and each connection takes one of its own. */
let nextStoreNumber = 9_000_000_000_000;

const columns =
  'store_number, sequence, sequenced_at, created_at, entity_hash, event_id, source_agent, request_id, ' +
  'entity_type, entity_id, event_type, payload_hash, leaf_hash, payload';
const columnCount = columns.split(',').length;
/** The fixed start of the binary format, then no flags and no header extension. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/**
 * Rows a second of binary COPY into the table of events, with its indexes: what this Postgres can take when nobody
 * parses, hashes, sequences, fences or answers. Rows are encoded while the ones before them are on their way.
 */
export async function measureCopy({
  databaseUrl,
  payload,
  connections,
  measureMs,
}: CopyPlan): Promise<number> {
  const payloads = samplePayloads(payload, 200).map((text) => Buffer.from(text));
  const startMs = performance.now();
  const untilMs = startMs + measureMs;
  const counts = await Promise.all(
    Array.from({ length: connections }, () => copyUntil(databaseUrl, payloads, untilMs)),
  );
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return rows / ((performance.now() - startMs) / 1_000);
}

async function copyUntil(databaseUrl: string, payloads: readonly Buffer[], untilMs: number): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = on');
    nextStoreNumber += 1;
    const encoder = new RowEncoder(nextStoreNumber, payloads);
    let rows = encoder.encode();
    let count = 0;
    while (performance.now() < untilMs) {
      const copied = runCopy(client, `copy legacy_events (${columns}) from stdin (format binary)`, rows);
      rows = encoder.encode();
      await copied;
      count += rowsPerCopy;
    }
    return count;
  } finally {
    await client.end();
  }
}

class RowEncoder {
  private readonly storeNumber: number;
  private readonly payloads: readonly Buffer[];
  private readonly hashes = Array.from({ length: 1_000 }, () => randomBytes(32));
  private readonly agent = randomUUID() as Uuid;
  /** One is sent while the other is written. */
  private writer = new BinaryWriter(4 << 20);
  private other = new BinaryWriter(4 << 20);
  private sequence = 0;

  constructor(storeNumber: number, payloads: readonly Buffer[]) {
    this.storeNumber = storeNumber;
    this.payloads = payloads;
  }

  /** The next rows; valid until the call after the next. */
  encode(): Buffer {
    [this.writer, this.other] = [this.other, this.writer];
    const { writer } = this;
    const now = (BigInt(Date.now()) * 1_000n) as Micros;
    const requestId = randomUUID() as Uuid;
    writer.reset();
    writer.raw(signature);
    for (let row = 0; row < rowsPerCopy; row += 1) {
      this.sequence += 1;
      const hash = this.pick(this.hashes);
      const eventId = randomUUID() as Uuid;
      writer.rawInt16(columnCount);
      writer.int64(this.storeNumber);
      writer.int64(this.sequence);
      writer.timestamp(now);
      writer.timestamp(now);
      writer.bigInt64(hash.readBigInt64BE(0) + BigInt(this.sequence));
      writer.uuid(eventId);
      writer.uuid(this.agent);
      writer.uuid(requestId);
      writer.text('order');
      writer.text(`order-${eventId.slice(0, 8)}${eventId.slice(-8)}`);
      writer.text('order.updated');
      writer.bytea(hash);
      writer.bytea(hash);
      writer.bytea(this.pick(this.payloads));
    }
    writer.rawInt16(-1);
    return writer.bytes();
  }

  private pick(values: readonly Buffer[]): Buffer {
    return values[Math.floor(Math.random() * values.length)] ?? Buffer.alloc(32);
  }
}
