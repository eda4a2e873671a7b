import {
  Fenced,
  LogRolledBack,
  type SequencerError,
  ShuttingDown,
  TooManyLiveActors,
} from '../domain/errors.ts';
import { storeKeyText } from '../domain/types.ts';
import type { Epoch, Heads, StoreKey } from '../domain/types.ts';
import { SequencerActor } from './sequencer.actor.ts';
import type { ActorDependencies, AppendAnswer, AppendCommand } from './sequencer.actor.ts';

export interface DirectoryLimits {
  /** How many actors may live at once; the one unused for longest makes room. */
  readonly liveActorsMax: number;
  /** How long an actor with nothing to do is kept. */
  readonly idleTimeoutMs: number;
}

/** What the live actors of a node have, in numbers that stay small however many they are. */
export interface ActorsReport {
  /** Stores with a claim of this node. */
  readonly storesOwned: number;
  /** Requests in all mailboxes together. */
  readonly requestsWaiting: number;
  /** Some of the stores owned, those used last first. */
  readonly stores: readonly OwnedStoreReport[];
}

export interface OwnedStoreReport extends StoreKey {
  readonly epoch: Epoch;
  readonly heads: Heads;
  readonly requestsWaiting: number;
  /** Milliseconds since it was used. */
  readonly idleMs: number;
}

/**
 * After a fence this node leaves the store to its claimant for this long, and up to twice as long at random; and a store whose
 * log lacks acknowledged events is not claimed for every request, since each claim is an update.
 */
const backoffMs = 1_000;

/**
 * An actor in use moves to the end of the map so often, and not at every command: keys that were taken out stay in a map's
 * chains for a while, so that with many actors moving one of them again and again costs more each time (with 100,000
 * actors some hundred microseconds).
 */
const movePauseMs = 1_000;

interface Live {
  readonly actor: SequencerActor;
  /** When it moved to the end, on the clock's monotonic scale. */
  readonly movedMs: number;
}

/**
 * The live actors of this node, by store. An actor is made by the first command for its store and dropped when it
 * has been idle; dropping one loses nothing but the round trip of the next claim.
 */
export class ActorDirectory {
  private readonly dependencies: ActorDependencies;
  private readonly limits: DirectoryLimits;
  private readonly random: () => number;
  /** Oldest use first, but for the last second. */
  private readonly live = new Map<string, Live>();
  private readonly refused = new Map<string, { readonly untilMs: number; readonly error: SequencerError }>();
  private closing = false;
  private sweep: { cancel(): void };

  /** @param random a number in [0, 1), for jitter */
  constructor(dependencies: ActorDependencies, limits: DirectoryLimits, random: () => number) {
    this.dependencies = dependencies;
    this.limits = limits;
    this.random = random;
    this.sweep = this.scheduleSweep();
  }

  /** How many stores this node has an actor for. */
  get liveCount(): number {
    return this.live.size;
  }

  /** The numbers of the report alone, for what asks often. */
  totals(): Pick<ActorsReport, 'storesOwned' | 'requestsWaiting'> {
    let storesOwned = 0;
    let requestsWaiting = 0;
    for (const { actor } of this.live.values()) {
      if (actor.isOwner) storesOwned += 1;
      requestsWaiting += actor.requestsWaiting;
    }
    return { storesOwned, requestsWaiting };
  }

  /** @param storesMax how many stores to name */
  report(storesMax: number): ActorsReport {
    let storesOwned = 0;
    let requestsWaiting = 0;
    const stores: OwnedStoreReport[] = [];
    const now = this.dependencies.clock.monotonicMs();
    // From the last use back.
    for (const { actor } of [...this.live.values()].reverse()) {
      const { owned, lastUsedMs, ...facts } = actor.report();
      requestsWaiting += facts.requestsWaiting;
      if (owned === null) continue;
      storesOwned += 1;
      if (stores.length < storesMax) stores.push({ ...facts, ...owned, idleMs: now - lastUsedMs });
    }
    return { storesOwned, requestsWaiting, stores };
  }

  /**
   * Hands the command to the store's actor; see `SequencerActor.append` for what it throws.
   * @throws TooManyLiveActors when all the actors that may live are busy
   * @throws Fenced also for a while after a fence, so that two nodes that differ about the owner do not fence
   *   each other for ever; LogRolledBack for as long
   */
  async append(store: StoreKey, command: AppendCommand): Promise<AppendAnswer> {
    const key = storeKeyText(store);
    const actor = this.find(store, key);
    try {
      return await actor.append(command);
    } catch (error) {
      if (error instanceof Fenced || error instanceof LogRolledBack) this.backOff(key, error);
      // At once, or requests for stores that may not be made would fill the directory.
      if (actor.mayBeReplaced && this.live.get(key)?.actor === actor) this.live.delete(key);
      throw error;
    }
  }

  /** Lets every actor finish its flush in flight, and refuses what waits and what comes. */
  async close(): Promise<void> {
    this.closing = true;
    this.sweep.cancel();
    await Promise.all([...this.live.values()].map(({ actor }) => actor.close()));
    this.live.clear();
  }

  private find(store: StoreKey, key: string): SequencerActor {
    if (this.closing) throw new ShuttingDown('this node is shutting down; nothing was stored');
    const refusal = this.refused.get(key);
    if (refusal !== undefined) {
      if (this.dependencies.clock.monotonicMs() < refusal.untilMs) throw refusal.error;
      this.refused.delete(key);
    }
    const found = this.live.get(key);
    const nowMs = this.dependencies.clock.monotonicMs();
    if (found !== undefined && !found.actor.mayBeReplaced) {
      if (nowMs - found.movedMs >= movePauseMs) this.moveToEnd(key, found.actor, nowMs);
      return found.actor;
    }
    this.live.delete(key);
    this.makeRoom();
    const actor = new SequencerActor(store, this.dependencies);
    this.live.set(key, { actor, movedMs: nowMs });
    return actor;
  }

  private moveToEnd(key: string, actor: SequencerActor, movedMs: number): void {
    this.live.delete(key);
    this.live.set(key, { actor, movedMs });
  }

  private makeRoom(): void {
    if (this.live.size < this.limits.liveActorsMax) return;
    for (const [key, { actor }] of this.live) {
      if (actor.isIdle || actor.mayBeReplaced) {
        this.live.delete(key);
        return;
      }
    }
    throw new TooManyLiveActors(`all ${this.limits.liveActorsMax} actors of this node are busy`, {
      liveActorsMax: this.limits.liveActorsMax,
    });
  }

  private backOff(key: string, error: SequencerError): void {
    const untilMs = this.dependencies.clock.monotonicMs() + backoffMs * (1 + this.random());
    this.refused.set(key, { untilMs, error });
  }

  private scheduleSweep(): { cancel(): void } {
    return this.dependencies.clock.after(Math.max(this.limits.idleTimeoutMs / 4, 1), () => {
      const now = this.dependencies.clock.monotonicMs();
      for (const [key, { actor, movedMs }] of this.live) {
        if (movedMs + this.limits.idleTimeoutMs > now) break;
        if (actor.lastUsedMs + this.limits.idleTimeoutMs > now) continue;
        if (actor.isIdle || actor.mayBeReplaced) this.live.delete(key);
      }
      for (const [key, refusal] of this.refused) if (refusal.untilMs <= now) this.refused.delete(key);
      this.sweep = this.scheduleSweep();
    });
  }
}
