import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Uuid } from '../../domain/types.ts';
import { BinaryArray } from '../../storage/postgres/binary-encode.ts';
import { type BenchStore, CopyAppend, StatementAppend, uuidOfStore } from './append.ts';
import { entityNumbered, hotEntity, makeEvent } from './events.ts';
import { fillStatement, type Layout, streamsTable } from './layouts.ts';

export interface AppendWorkload {
  readonly batchSize: number;
  readonly connections: number;
  readonly method: 'statement' | 'copy';
  readonly seconds: number;
}

/** The rates swing with what else the machine does, CPU time less so, and the log's volume hardly. */
export interface AppendFigures {
  readonly rowsPerSecond: number;
  readonly rowsPerSecondWithFolds: number;
  /** Of the Postgres sessions that append. */
  readonly cpuMicrosPerRow: number;
  /** Together with those that fold afterwards. */
  readonly cpuMicrosPerRowWithFolds: number;
  readonly walBytesPerRow: number;
}

/** More stores than any workload has connections; the history is spread over them. */
const storeCount = 4;

/** One database with one layout, filled to some history. */
export class LayoutDatabase {
  readonly #adminUrl: string;
  readonly #name: string;
  readonly #url: string;
  readonly #layout: Layout;
  readonly #entityCount: number;
  readonly #stores: BenchStore[];

  private constructor(adminUrl: string, name: string, layout: Layout, history: number) {
    this.#adminUrl = adminUrl;
    this.#name = name;
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    this.#url = url.href;
    this.#layout = layout;
    this.#entityCount = Math.max(20_000, Math.floor(history / 5));
    const head = Math.floor(history / storeCount);
    this.#stores = Array.from({ length: storeCount }, (_, index) => ({ number: index + 1, head }));
  }

  static async create(adminUrl: string, layout: Layout, history: number): Promise<LayoutDatabase> {
    const name = `layout_${layout.name.charAt(0).toLowerCase()}_${history}`;
    await withClient(adminUrl, (client) => client.query(`create database ${name} template template0`));
    const database = new LayoutDatabase(adminUrl, name, layout, history);
    await withClient(database.#url, async (client) => {
      await client.query(streamsTable);
      for (const store of database.#stores) {
        const id = uuidOfStore(store);
        await client.query('insert into streams values ($1, $2, $2, 1, $3, 0, now())', [
          store.number,
          id,
          store.head,
        ]);
      }
      await client.query(layout.tables);
      await client.query("set maintenance_work_mem = '512MB'; set work_mem = '256MB'");
      if (history > 0) {
        await client.query(fillStatement(layout), [storeCount, history, database.#entityCount]);
        await client.query(layout.afterFill);
      }
      await client.query(layout.indexes(70));
      for (const store of database.#stores) await foldStore(client, layout, store);
      await client.query('vacuum analyze');
      await client.query('checkpoint');
    });
    return database;
  }

  /** Appends for some seconds on every connection at once, each to a store of its own, then folds. */
  async runAppends(workload: AppendWorkload): Promise<AppendFigures> {
    const walBefore = await this.#walPosition();
    const start = performance.now();
    const end = start + workload.seconds * 1_000;
    const counts = await Promise.all(
      this.#stores.slice(0, workload.connections).map((store) =>
        withClient(this.#url, async (client) => {
          await client.query('set plan_cache_mode = force_generic_plan; set enable_seqscan = off');
          const lane = workload.method === 'copy' ? new CopyAppend() : new StatementAppend();
          let appended = 0;
          while (performance.now() < end) {
            const events = Array.from({ length: workload.batchSize }, () => makeEvent(this.#entityCount));
            await lane.append(client, this.#layout, store, events);
            appended += events.length;
          }
          return { appended, cpuMicros: cpuMicrosOf(await backendPid(client)) };
        }),
      ),
    );
    const elapsed = performance.now() - start;
    const appended = counts.reduce((sum, count) => sum + count.appended, 0);
    const cpuMicros = counts.reduce((sum, count) => sum + count.cpuMicros, 0);
    const walBytes = (await this.#walPosition()) - walBefore;
    const foldStart = performance.now();
    const foldMicros = await Promise.all(
      this.#stores.map((store) =>
        withClient(this.#url, async (client) => {
          await foldStore(client, this.#layout, store);
          return cpuMicrosOf(await backendPid(client));
        }),
      ),
    );
    const withFolds = elapsed + performance.now() - foldStart;
    const cpuMicrosWithFolds = foldMicros.reduce((sum, micros) => sum + micros, cpuMicros);
    return {
      rowsPerSecond: (appended / elapsed) * 1_000,
      rowsPerSecondWithFolds: (appended / withFolds) * 1_000,
      cpuMicrosPerRow: cpuMicros / appended,
      cpuMicrosPerRowWithFolds: cpuMicrosWithFolds / appended,
      walBytesPerRow: walBytes / appended,
    };
  }

  async #walPosition(): Promise<number> {
    return withClient(this.#url, async (client) => {
      const { rows } = await client.query<{ position: string }>(
        "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as position",
      );
      return Number(rows[0]?.position);
    });
  }

  /** Microseconds for each of the reads, in a prepared statement, with what is read changing from call to call. */
  async measureReads(): Promise<Map<string, number>> {
    const { readRange, readEntity, findEvents, entityVersion } = this.#layout;
    const store = this.#stores[0]!;
    const hot = [store.number, hotEntity.entityHash.toString(), hotEntity.entityType, hotEntity.entityId];
    return withClient(this.#url, async (client) => {
      await client.query('set plan_cache_mode = force_generic_plan; set enable_seqscan = off');
      const stored = await client.query<{ event_id: Uuid }>('select event_id from events limit 250');
      const ids = new BinaryArray('uuid');
      for (const row of stored.rows) ids.next().uuid(row.event_id);
      for (let index = 0; index < 250; index += 1) ids.next().uuid(randomUUID() as Uuid);
      const someEntity = (): unknown[] => {
        const entity = entityNumbered(1 + Math.floor(Math.random() * this.#entityCount));
        return [store.number, entity.entityHash.toString(), entity.entityType, entity.entityId];
      };
      const someSequence = (): number => 1 + Math.floor(Math.random() * (store.head - 100));
      const reads: [label: string, text: string, parameters: () => unknown[]][] = [
        ['range of 100', readRange, () => [store.number, someSequence()]],
        ['page of 100 of an entity', readEntity, () => hot],
        ['find 500 event ids', findEvents, () => [store.number, ids.finish()]],
        ['version of an entity', entityVersion, someEntity],
        ['version of the hot entity', entityVersion, () => hot],
        ['head', 'select legacy_head from streams where store_number = $1', () => [store.number]],
      ];
      const figures = new Map<string, number>();
      for (const [name, text, parameters] of reads) {
        figures.set(name, await time(() => client.query({ name, text, values: parameters() })));
      }
      return figures;
    });
  }

  /** Bytes an event takes in tables and in indexes. */
  async measureBytes(): Promise<Map<string, number>> {
    return withClient(this.#url, async (client) => {
      const { rows } = await client.query<{ events: string; heap: string; all: string }>(
        `select (select count(*) from events) as events, sum(pg_table_size(oid)) as heap,
                sum(pg_total_relation_size(oid)) as all
           from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
      );
      const row = rows[0];
      if (row === undefined) throw new Error('the catalogue answered nothing');
      const events = Number(row.events);
      return new Map([
        ['bytes an event, tables', Number(row.heap) / events],
        ['bytes an event, with indexes', Number(row.all) / events],
      ]);
    });
  }

  async drop(): Promise<void> {
    await withClient(this.#adminUrl, (client) => client.query(`drop database ${this.#name} with (force)`));
  }
}

async function backendPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? NaN;
}

/** User and system time of a process so far; Linux counts it in ticks of 10 ms. */
function cpuMicrosOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function foldStore(client: pg.Client, layout: Layout, store: BenchStore): Promise<void> {
  if (layout.fold !== null) await client.query(layout.fold, [store.number]);
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const runs = 50;
  await run();
  const start = performance.now();
  for (let index = 0; index < runs; index += 1) await run();
  return ((performance.now() - start) / runs) * 1_000;
}

async function withClient<Result>(url: string, run: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
