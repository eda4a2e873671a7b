import type pg from 'pg';
import type { Micros } from '../../domain/types.ts';
import type { elementTypes } from '../../storage/postgres/binary-encode.ts';
import { BinaryArray, BinaryWriter } from '../../storage/postgres/binary-encode.ts';
import { runCopy } from './copy-in.ts';
import { type BenchEvent, benchAgent, benchRequest, nowMicros } from './events.ts';
import { copyColumns, type Layout } from './layouts.ts';

/** Store n of a run; its ids are made from its number. */
export interface BenchStore {
  readonly number: number;
  head: number;
}

export function uuidOfStore(store: BenchStore): string {
  return `00000000-0000-4000-8000-${store.number.toString(16).padStart(12, '0')}`;
}

const parameterTypes = [
  ...(['int64', 'int64', 'int64', 'int64', 'timestamp'] as const),
  ...([
    'int64',
    'int64',
    'uuid',
    'uuid',
    'int64',
    'text',
    'text',
    'text',
    'uuid',
    'uuid',
    'timestamp',
  ] as const),
  ...(['bytea', 'bytea', 'bytea'] as const),
] satisfies (keyof typeof elementTypes)[];

/** One statement: the fence, and the events as hand-encoded arrays. */
export class StatementAppend {
  readonly #arrays = parameterTypes.map((type) => new BinaryArray(type));

  async append(
    client: pg.Client,
    layout: Layout,
    store: BenchStore,
    events: readonly BenchEvent[],
  ): Promise<void> {
    const now = nowMicros();
    const arrays = this.#arrays;
    arrays.forEach((array) => array.reset());
    const column = (index: number): BinaryWriter => arrays[index]!.next();
    column(0).int64(store.number);
    column(1).int64(1);
    column(2).int64(store.head);
    column(3).int64(store.head + events.length);
    column(4).timestamp(now);
    events.forEach((event, index) => {
      column(5).int64(store.number);
      column(6).int64(store.head + 1 + index);
      column(7).uuid(event.eventId);
      if (event.commandId === null) arrays[8]!.nextNull();
      else column(8).uuid(event.commandId);
      column(9).bigInt64(event.entityHash);
      column(10).text(event.entityType);
      column(11).text(event.entityId);
      column(12).text('order.updated');
      column(13).uuid(benchAgent);
      column(14).uuid(benchRequest);
      column(15).timestamp(now);
      column(16).bytea(event.hash);
      column(17).bytea(event.hash);
      column(18).bytea(event.payload);
    });
    const values = arrays.map((array) => array.finish());
    const result = await client.query({ name: 'append', text: layout.append, values });
    if (result.rowCount !== 1)
      throw new Error(`the fence of store ${store.number} did not match ${store.head}`);
    store.head += events.length;
  }
}

/** The fixed start of the binary format, then no flags and no header extension. */
const copySignature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** COPY behind a fence that raises; both in the implicit transaction of one simple query, as a good client would. */
export class CopyAppend {
  readonly #writer = new BinaryWriter(1 << 20);

  async append(
    client: pg.Client,
    layout: Layout,
    store: BenchStore,
    events: readonly BenchEvent[],
  ): Promise<void> {
    const newHead = store.head + events.length;
    this.#encode(layout, store, events, nowMicros());
    await runCopy(
      client,
      `do $$ begin
         update streams set legacy_head = ${newHead}, last_sequenced_at = now()
          where store_number = ${store.number} and epoch = 1 and legacy_head = ${store.head};
         if not found then raise 'fenced'; end if;
       end $$;
       copy events (${copyColumns(layout)}) from stdin (format binary)`,
      this.#writer.bytes(),
    );
    store.head = newHead;
  }

  #encode(layout: Layout, store: BenchStore, events: readonly BenchEvent[], now: Micros): void {
    const writer = this.#writer;
    writer.reset();
    writer.raw(copySignature);
    const storeId = uuidOfStore(store) as BenchEvent['eventId'];
    events.forEach((event, index) => {
      writer.rawInt16(15);
      if (layout.wide) {
        writer.uuid(storeId);
        writer.uuid(storeId);
        writer.int64(store.head + 1 + index);
      } else {
        writer.int64(store.number);
        writer.int64(store.head + 1 + index);
        writer.bigInt64(event.entityHash);
      }
      writer.timestamp(now);
      writer.timestamp(now);
      writer.uuid(event.eventId);
      if (event.commandId === null) writer.null();
      else writer.uuid(event.commandId);
      writer.uuid(benchAgent);
      writer.uuid(benchRequest);
      writer.text(event.entityType);
      writer.text(event.entityId);
      writer.text('order.updated');
      writer.bytea(event.hash);
      writer.bytea(event.hash);
      writer.bytea(event.payload);
    });
    writer.rawInt16(-1);
  }
}
