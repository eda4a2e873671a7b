import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { LogRolledBack, Refused, type SequencerError, ShuttingDown } from '../../domain/errors.ts';
import { storeKeyText, type StoreKey, type TenantId } from '../../domain/types.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Claim } from '../event-log.ts';
import { tenantErased } from '../payloads/payload-vault.ts';
import { ClaimConnection } from './claim-connection.ts';
import { toReadError } from './database-errors.ts';
import {
  type ClaimedStore,
  claimExisting,
  claimNew,
  type ClaimRequest,
  findErasedTenants,
} from './queries/claim.query.ts';
import { endBlockers } from './queries/end-blockers.query.ts';
import { send } from './query.ts';
import { destroySession, openSession, type SessionOptions } from './session.ts';

export interface ClaimQueueOptions {
  /** Where claims run, and how to open a session beside it when one has to be freed. */
  readonly pool: pg.Pool;
  readonly session: SessionOptions;
  /** How long a claim waits for the session that holds its row, before it ends that session. */
  readonly claimPatienceMs: number;
  /** Claims make no store beyond this number; 0 is no bound. */
  readonly storesPerTenantMax: number;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
}

interface WaitingClaim {
  readonly store: StoreKey;
  readonly claimant: string;
  readonly resolve: (claim: Claim) => void;
  readonly reject: (error: SequencerError) => void;
}

interface Claimed {
  /** By `storeKeyText`. */
  readonly claims: ReadonlyMap<string, ClaimedStore>;
  /** Of the tenants of what was not claimed. */
  readonly erased: ReadonlySet<TenantId>;
}

/** Bounds the rows that one statement locks. */
const storesMax = 500;

/** Claims stores: whatever waits while a claim is under way goes into the next one, one statement for many stores. */
export class ClaimQueue {
  private readonly options: ClaimQueueOptions;
  private waiting: WaitingClaim[] = [];
  private running: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: ClaimQueueOptions) {
    this.options = options;
  }

  /** As `EventLog.claim`. */
  claim(store: StoreKey, claimant: string): Promise<Claim> {
    if (this.isClosed) return Promise.reject(new ShuttingDown('the log is closing'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ store, claimant, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Finishes the claim under way, and refuses the others. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { reject } of this.waiting.splice(0)) reject(new ShuttingDown('the log is closing'));
    await this.running;
  }

  private async run(): Promise<void> {
    // Claims that are asked for in the same turn of the event loop share the statement.
    await new Promise((resolve) => setImmediate(resolve));
    for (let requests = this.take(); requests.length > 0; requests = this.take()) {
      try {
        const { claims, erased } = await this.send(requests);
        for (const { store, resolve, reject } of requests) {
          const claim = claims.get(storeKeyText(store));
          if (claim?.isRolledBack === true) reject(new LogRolledBack(store));
          else if (claim !== undefined) resolve(claim);
          else if (erased.has(store.tenantId)) reject(tenantErased(store.tenantId));
          else reject(tooManyStores(store, this.options.storesPerTenantMax));
        }
      } catch (error) {
        const translated = toReadError(error, 'claim');
        for (const { reject } of requests) reject(translated);
      }
    }
    this.running = null;
  }

  /** Those that waited longest, each store once: claims of one store are ordered, and each gets an epoch of its own. */
  private take(): WaitingClaim[] {
    const taken = new Map<string, WaitingClaim>();
    const left: WaitingClaim[] = [];
    for (const claim of this.waiting) {
      const key = storeKeyText(claim.store);
      if (taken.size === storesMax || taken.has(key)) left.push(claim);
      else taken.set(key, claim);
    }
    this.waiting = left;
    return [...taken.values()];
  }

  /** The claims by store; without those of erased tenants, and those that would have made a store too many. */
  private async send(requests: readonly ClaimRequest[]): Promise<Claimed> {
    const client = await this.options.pool.connect();
    const onError = (): void => undefined; // The statement in flight fails with it.
    client.on('error', onError);
    let failure: unknown = null;
    const connection = new ClaimConnection(client, this.options.session);
    const stopFreeing = this.freeWhenBlocked(connection);
    try {
      const claims = new Map<string, ClaimedStore>();
      const add = (found: ClaimedStore[]): void =>
        found.forEach((claim) => claims.set(storeKeyText(claim), claim));
      const missing = () => requests.filter(({ store }) => !claims.has(storeKeyText(store)));
      add(await connection.send(claimExisting, requests));
      if (missing().length > 0) {
        const { storesPerTenantMax } = this.options;
        add(await connection.send(claimNew, { requests: missing(), storesPerTenantMax }));
      }
      // Another node may have made a store between the two, and its tenant be full with that.
      if (missing().length > 0) add(await connection.send(claimExisting, missing()));
      const tenantIds = missing().map(({ store }) => store.tenantId);
      const erased = tenantIds.length > 0 ? await connection.send(findErasedTenants, { tenantIds }) : [];
      return { claims, erased: new Set(erased) };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      stopFreeing();
      client.off('error', onError);
      client.release(failure !== null);
    }
  }

  /** Looks again and again whether someone keeps the session waiting, until the returned function is called. */
  private freeWhenBlocked(connection: ClaimConnection): () => void {
    const { clock, claimPatienceMs, log } = this.options;
    const pauseMs = claimPatienceMs / 4;
    let suspectPids: readonly number[] = [];
    let isStopped = false;
    const look = async (): Promise<void> => {
      try {
        suspectPids = await this.endBlockersOf(connection, suspectPids);
      } catch (error) {
        log.warn({ err: error }, 'the session that blocks a claim could not be ended');
      }
      if (!isStopped) timer = clock.after(pauseMs, () => void look());
    };
    // The first look finds suspects; what is still in the way at the second has used up our patience.
    let timer = clock.after(claimPatienceMs - pauseMs, () => void look());
    return () => {
      isStopped = true;
      timer.cancel();
    };
  }

  /**
   * Ends those suspects that still block the session, and returns who blocks it now. From a session of its own, since
   * the pool may be full of sessions that wait as well.
   */
  private async endBlockersOf({ pid }: ClaimConnection, suspectPids: readonly number[]): Promise<number[]> {
    const { session, claimPatienceMs, log } = this.options;
    if (pid === null) return [];
    const helper = await openSession(session);
    try {
      const found = await send(helper, endBlockers, {
        pid,
        applicationName: session.applicationName,
        patienceMs: claimPatienceMs / 2,
        suspectPids,
      });
      const ended = found.filter(({ isEnded }) => isEnded);
      if (ended.length > 0) log.warn({ ended }, 'sessions that kept a claim waiting were ended');
      return found.map((blocker) => blocker.pid);
    } finally {
      destroySession(helper);
    }
  }
}

function tooManyStores({ tenantId }: StoreKey, storesPerTenantMax: number): Refused {
  return new Refused(
    'QUOTA_EXCEEDED',
    `tenant ${tenantId} has the ${storesPerTenantMax} stores that a tenant may have, and this request is for another; ` +
      'use one of them, or ask the operator to raise MAX_STORES_PER_TENANT',
    { tenantId, storesPerTenantMax },
  );
}
