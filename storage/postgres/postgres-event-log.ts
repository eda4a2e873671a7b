import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { AppendOutcomeUnknown, LogUnavailable, ShuttingDown } from '../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import {
  type CommandId,
  type EntityVersion,
  type EventId,
  type Head,
  type Heads,
  type Sequence,
  type StoreKey,
  type World,
} from '../../domain/types.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import type { Log } from '../../telemetry/log.ts';
import { eventCountOf, headsAfter } from '../append-batch.ts';
import type { AppendBatch, AppendOutcome, Claim, EntityKey, EventLog, EventRef } from '../event-log.ts';
import type { CircuitBreaker, CircuitVerdict } from '../../domain/resilience/circuit-breaker.ts';
import { type RetryOptions, retrying } from '../../domain/resilience/retries.ts';
import { connectPastCircuit } from './circuit-pool.ts';
import { outcomeOfMissed } from './append-flush.ts';
import { AppendLane } from './append-lane.ts';
import { AppendLanes } from './append-lanes.ts';
import { ClaimQueue } from './claim-queue.ts';
import { toReadError } from './database-errors.ts';
import type { DatabaseObserver } from './database-observer.ts';
import { EntityCounter } from './entity-counter.ts';
import type { EventRow, PayloadVault } from '../payloads/payload-vault.ts';
import { poolFigures, type PoolFigures } from './pool.ts';
import { entityVersions } from './queries/entity-versions.query.ts';
import { fenceRows } from './queries/fence-rows.query.ts';
import { findCommands } from './queries/find-commands.query.ts';
import { findEvents } from './queries/find-events.query.ts';
import { findVesEvents } from './queries/find-ves-events.query.ts';
import { heads } from './queries/heads.query.ts';
import { countLegacyEntity, readLegacyEntity } from './queries/read-legacy-entity.query.ts';
import { readLegacy } from './queries/read-legacy.query.ts';
import { readVes, readVesEvent } from './queries/read-ves.query.ts';
import { type Query, read } from './query.ts';
import type { Replica } from './replica.ts';
import type { SessionOptions } from './session.ts';

export interface PostgresEventLogOptions {
  /** For reads and claims; it stays the caller's to end, after the log is closed. */
  readonly pool: pg.Pool;
  /** Asked first for events that the primary's head says are there; null when there is none. */
  readonly replica?: Replica | null;
  /** How to open the sessions outside the pool. */
  readonly session: SessionOptions;
  /** Connections that only append; see `AppendLanes`. */
  readonly appendConnections: number;
  /** The longest that an append may take, from the call to its outcome. */
  readonly appendTimeoutMs: number;
  /** Bounds of one append statement. */
  readonly flushBytesMax: number;
  readonly flushEventsMax: number;
  /** How long a claim waits for a session that holds its row before it ends that session. */
  readonly claimPatienceMs?: number;
  /** A claim makes no store beyond this number; 0, as unless given, is no bound. */
  readonly storesPerTenantMax?: number;
  /** A store's entities are due to be counted whenever it has this many new events. */
  readonly countEveryEvents?: number;
  /** And when it has this many they are counted, however busy the moment is. */
  readonly countAtOnceEvents?: number;
  /** Seals and opens payloads. */
  readonly vault: PayloadVault;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Spares Postgres appends while it does not answer them; none are spared unless given. */
  readonly appendCircuit?: CircuitBreaker;
  /** How reads of events and heads are tried again; they are not unless given. */
  readonly readRetries?: RetryOptions;
  /** Told of the appends; what goes through the pool is for the pool to tell. */
  readonly observer?: Pick<DatabaseObserver, 'appended'>;
}

/**
 * Opens the log in a database that `migrate` has brought to this version.
 * @throws LogUnavailable when a connection for appends can't be opened
 */
export async function openPostgresEventLog(options: PostgresEventLogOptions): Promise<PostgresEventLog> {
  const opened = await Promise.allSettled(
    Array.from({ length: options.appendConnections }, () => AppendLane.open(options)),
  );
  const lanes = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = opened.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await Promise.all(lanes.map((lane) => lane.close()));
    throw failure.reason;
  }
  return new PostgresEventLog(options, lanes);
}

/** A probe that waits longer than this for a readiness answer has given up. */
const pingTimeoutMs = 2_000;

/** The log in Postgres 15 or newer. Reads and claims go through the pool, appends through lanes of their own. */
export class PostgresEventLog implements EventLog {
  private readonly pool: pg.Pool;
  private readonly replica: Replica | null;
  private readonly clock: Clock;
  private readonly vault: PayloadVault;
  private readonly lanes: AppendLanes;
  private readonly claims: ClaimQueue;
  private readonly counter: EntityCounter;
  private readonly appendCircuit: CircuitBreaker | null;
  private readonly readRetries: RetryOptions | null;

  /** Use `openPostgresEventLog`. */
  constructor(options: PostgresEventLogOptions, lanes: readonly AppendLane[]) {
    this.pool = options.pool;
    this.replica = options.replica ?? null;
    this.clock = options.clock;
    this.vault = options.vault;
    this.lanes = new AppendLanes(lanes);
    this.appendCircuit = options.appendCircuit ?? null;
    this.readRetries = options.readRetries ?? null;
    this.claims = new ClaimQueue({ claimPatienceMs: 1_000, storesPerTenantMax: 0, ...options });
    this.counter = new EntityCounter({
      countEveryEvents: 10_000,
      countAtOnceEvents: 1_000_000,
      ...options,
    });
  }

  claim(store: StoreKey, claimant: string): Promise<Claim> {
    return this.claims.claim(store, claimant);
  }

  async append(batch: AppendBatch): Promise<AppendOutcome> {
    if (eventCountOf(batch) === 0) return this.checkFence(batch);
    const { storeNumber } = batch.claim;
    const sealed = this.vault.seals ? await this.vault.seal(batch) : { batch, payloadKeyNumber: null };
    const append = (): Promise<AppendOutcome> => this.lanes.append(sealed);
    const outcome = await (this.appendCircuit === null
      ? append()
      : this.appendCircuit.run(append, judgeAppend));
    if (outcome.kind === 'appended') {
      this.counter.appended(storeNumber, batch.expectedHeads, headsAfter(batch));
    }
    return outcome;
  }

  async findEvents({ storeNumber }: Claim, eventIds: readonly EventId[]): Promise<Map<EventId, EventRef>> {
    const found = await read(this.pool, findEvents, { storeNumber, eventIds });
    return new Map(found.map((ref) => [ref.eventId, ref]));
  }

  async findVesEvents(
    { storeNumber }: Claim,
    eventIds: readonly EventId[],
  ): Promise<Map<EventId, StoredVesEvent>> {
    const rows = await read(this.pool, findVesEvents, { storeNumber, eventIds });
    const found = await this.vault.open('ves', rows);
    return new Map(found.map((event) => [event.eventId, event]));
  }

  async findCommands(
    { storeNumber }: Claim,
    world: World,
    commandIds: readonly CommandId[],
  ): Promise<Map<CommandId, EventRef>> {
    const found = await read(this.pool, findCommands[world], { storeNumber, commandIds });
    return new Map(found.map(({ commandId, ...ref }) => [commandId, ref]));
  }

  async entityVersions({ storeNumber }: Claim, entities: readonly EntityKey[]): Promise<EntityVersion[]> {
    return read(this.pool, entityVersions, { storeNumber, entities });
  }

  async heads(store: StoreKey): Promise<Heads> {
    const [row] = await this.readAgain(heads, store);
    return row ?? { legacy: 0 as Head, ves: 0 as Head };
  }

  async readLegacy(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredLegacyEvent[]> {
    const rows = await this.readWhole(readLegacy, { ...store, from, to }, fills(from, to));
    return this.vault.open('legacy', rows);
  }

  async readVes(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredVesEvent[]> {
    const rows = await this.readWhole(readVes, { ...store, from, to }, fills(from, to));
    return this.vault.open('ves', rows);
  }

  async readVesEvent(store: StoreKey, eventId: EventId): Promise<StoredVesEvent | null> {
    const rows = await this.readWhole(readVesEvent, { ...store, eventId }, (found) => found.length > 0);
    const [event] = await this.vault.open('ves', rows);
    return event ?? null;
  }

  async readLegacyEntity(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ events: StoredLegacyEvent[]; total: number }> {
    const { rows, total } =
      (await this.readEntityOnReplica(store, entity, page)) ??
      (await this.readEntityOnPrimary(store, entity, page));
    return { events: await this.vault.open('legacy', rows), total };
  }

  /**
   * Asks Postgres for nothing, through the pool, also while the circuit is open: its answer is how one knows that it is back.
   * @throws LogUnavailable when no answer came in two seconds, be it that the pool has no connection to spare
   */
  async ping(): Promise<{ readonly responseTimeMs: number }> {
    const start = performance.now();
    let late: { cancel(): void } | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      late = this.clock.after(pingTimeoutMs, () => reject(new LogUnavailable('ping: no answer in time')));
    });
    try {
      await Promise.race([askPastCircuit(this.pool), tooLate]);
    } catch (error) {
      throw error instanceof LogUnavailable ? error : toReadError(error, 'ping');
    } finally {
      late?.cancel();
    }
    return { responseTimeMs: performance.now() - start };
  }

  poolFigures(): PoolFigures {
    return poolFigures(this.pool);
  }

  /** Has everything counted that is due to be, for those who can't wait for a quiet moment. */
  countingSettled(): Promise<void> {
    return this.counter.settled();
  }

  /** Answers what is in flight, refuses what waits, and ends the append connections. The pool stays open. */
  async close(): Promise<void> {
    await Promise.all([this.lanes.close(), this.claims.close(), this.counter.close()]);
  }

  /** From the replica when it has all of it, else from the primary. */
  private async readWhole<Parameters, Row>(
    query: Query<Parameters, Row>,
    parameters: Parameters,
    isWhole: (rows: readonly Row[]) => boolean,
  ): Promise<Row[]> {
    const found = (await this.replica?.read(query, parameters, isWhole)) ?? null;
    return found ?? this.readAgain(query, parameters);
  }

  /** From the primary, tried again where that is set up: it may be restarting, and a read has no effect. */
  private readAgain<Parameters, Row>(query: Query<Parameters, Row>, parameters: Parameters): Promise<Row[]> {
    const once = (): Promise<Row[]> => read(this.pool, query, parameters);
    return this.readRetries === null ? once() : retrying(this.readRetries, once);
  }

  private async readEntityOnPrimary(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ rows: EventRow<StoredLegacyEvent>[]; total: number }> {
    const [rows, counts] = await Promise.all([
      this.readAgain(readLegacyEntity, { ...store, ...entity, ...page }),
      this.readAgain(countLegacyEntity, { ...store, ...entity }),
    ]);
    return { rows, total: counts[0]?.total ?? 0 };
  }

  /**
   * Null when the replica does not have all of the stream that the primary has. Its two answers may come from different
   * servers, so the head goes with the count, and the page must be as long as the count says.
   */
  private async readEntityOnReplica(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ rows: EventRow<StoredLegacyEvent>[]; total: number } | null> {
    if (this.replica === null) return null;
    const { legacy: head } = await this.heads(store);
    const counts = await this.replica.read(
      countLegacyEntity,
      { ...store, ...entity },
      ([count]) => (count?.head ?? 0) >= head,
    );
    if (counts === null) return null;
    const total = counts[0]?.total ?? 0;
    const rowsMin = Math.min(page.limit, Math.max(0, total - page.offset));
    const rows = await this.replica.read(
      readLegacyEntity,
      { ...store, ...entity, ...page },
      ({ length }) => length >= rowsMin,
    );
    return rows && { rows, total };
  }

  private async checkFence(batch: AppendBatch): Promise<AppendOutcome> {
    const { storeNumber } = batch.claim;
    const [row] = await read(this.pool, fenceRows, [storeNumber]);
    const outcome = outcomeOfMissed({ batch }, row);
    if (outcome instanceof Error) throw outcome;
    return outcome ?? { kind: 'appended' };
  }
}

/** One store whose row is locked, or a queue that is too long, must not have the others spared. */
function judgeAppend(error: unknown): CircuitVerdict {
  if (error instanceof AppendOutcomeUnknown) return 'failure';
  if (!(error instanceof LogUnavailable)) return error instanceof ShuttingDown ? 'none' : 'success';
  const { isOutOfReach, code } = error.data;
  return isOutOfReach === true || (typeof code === 'string' && code.startsWith('53')) ? 'failure' : 'none';
}

async function askPastCircuit(pool: pg.Pool): Promise<void> {
  const client = await connectPastCircuit(pool);
  let isBroken = true;
  const ignore = (): void => undefined; // The statement fails with the same error.
  client.on('error', ignore);
  try {
    await client.query('select 1');
    isBroken = false;
  } finally {
    client.off('error', ignore);
    client.release(isBroken);
  }
}

/** Whether a range is complete. Streams have no gaps, so one that is not lies beyond what the server has. */
function fills(from: Sequence, to: Sequence): (rows: readonly unknown[]) => boolean {
  return ({ length }) => length === to - from + 1;
}
