import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import { decide, entityText } from '../domain/decide.ts';
import type { Answer, Decision, Needs, StoreState, StoredRef } from '../domain/decide.ts';
import {
  AppendOutcomeUnknown,
  DeadlineExceeded,
  Fenced,
  InvariantBroken,
  LogUnavailable,
  SequencerError,
  ShuttingDown,
} from '../domain/errors.ts';
import type { LegacyEvent } from '../domain/legacy/event.ts';
import type { Sha256 } from '../domain/sha256.ts';
import { storeKeyText } from '../domain/types.ts';
import type { CommandId, EntityVersion, EventId, RequestId, StoreKey } from '../domain/types.ts';
import type { Claim, EventLog } from '../storage/event-log.ts';
import { Mailbox } from './mailbox.ts';
import type { StoredCache } from './stored-cache.ts';

/** One client request for this store, read from its bytes and checked as a whole. */
export interface AppendCommand {
  readonly requestId: RequestId;
  readonly events: readonly LegacyEvent[];
  /** Size of the request in bytes, for the bounds. */
  readonly byteCount: number;
  /** On the clock's monotonic scale: a command still waiting then is answered and not appended. */
  readonly deadlineMs: number;
}

export interface ActorLimits {
  readonly mailboxCommandsMax: number;
  readonly mailboxBytesMax: number;
  /** Bounds of one flush of this actor; a single larger request still goes through alone. */
  readonly flushEventsMax: number;
  readonly flushBytesMax: number;
}

/** What happened inside an actor that a metric or a log line wants to know. */
export interface ActorObserver {
  claimed(store: StoreKey, claim: Claim): void;
  flushed(facts: { readonly requests: number; readonly events: number; readonly durationMs: number }): void;
  closed(store: StoreKey, cause: SequencerError | null): void;
}

export interface ActorDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** This node, as the fence row will name it. */
  readonly claimant: string;
  readonly limits: ActorLimits;
  readonly stored: StoredCache;
  readonly observer: ActorObserver;
}

/** How long ids are looked up before the append once a repeat was met: each rolled-back append leaves dead rows. */
const lookFirstMs = 10_000;
/** Versions kept for entities that were checked with `base_version`; others need none. */
const versionsKeptMax = 256;
/** A decision that keeps asking or keeps conflicting is a fault of ours, not of the caller. */
const decisionRoundsMax = 8;

interface Waiting extends AppendCommand {
  readonly eventCount: number;
  answer(answer: Answer): void;
  fail(error: SequencerError): void;
}

/**
 * The single owner of one store's streams: it numbers events in memory, appends them, and answers afterwards.
 *
 * Modes and the moves between them:
 * - `idle`: nothing waits. A command starts the run loop.
 * - `running`: claims if it holds no claim, then flushes until the mailbox is empty, then `idle` again.
 * - `closed`: everything that it held was answered, and commands are refused. Reached by a fence (another node owns
 *   the store), by a broken invariant, and by `close()`. A closed actor is thrown away; a new one claims afresh.
 *
 * A claim is dropped, and what it knew with it, whenever memory and log may differ: then the next flush claims
 * again, which waits for any append in flight, and reads what is durable.
 */
export class SequencerActor {
  readonly store: StoreKey;
  /** When it last had something to do, on the clock's monotonic scale. */
  lastUsedMs: number;

  private readonly dependencies: ActorDependencies;
  private readonly mailbox: Mailbox<Waiting>;
  private mode: 'idle' | 'running' | 'closed' = 'idle';
  private owned: Owned | null = null;
  private closeCause: SequencerError | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(store: StoreKey, dependencies: ActorDependencies) {
    this.store = store;
    this.dependencies = dependencies;
    this.mailbox = new Mailbox({
      commandsMax: dependencies.limits.mailboxCommandsMax,
      bytesMax: dependencies.limits.mailboxBytesMax,
    });
    this.lastUsedMs = dependencies.clock.monotonicMs();
  }

  get isIdle(): boolean {
    return this.mode === 'idle';
  }

  /** Closed, and not by a broken invariant: that stays until a person has looked and restarted the node. */
  get mayBeReplaced(): boolean {
    return this.mode === 'closed' && this.closeCause?.kind !== 'corrupt';
  }

  /**
   * Sequences and appends the events of one request; resolves once the accepted ones are durable.
   *
   * @throws MailboxFull, DeadlineExceeded, LogUnavailable, ShuttingDown: nothing of the request was stored
   * @throws Fenced when another owner has the store; nothing was stored
   * @throws AppendOutcomeUnknown when it may or may not be stored; sending the same event ids again settles it
   * @throws InvariantBroken when the log contradicts itself; the actor stays closed
   */
  append(command: AppendCommand): Promise<Answer> {
    if (this.mode === 'closed') {
      return Promise.reject(this.closeCause ?? new ShuttingDown('the owner of this store is closing'));
    }
    this.lastUsedMs = this.dependencies.clock.monotonicMs();
    return new Promise((resolve, reject) => {
      this.mailbox.put({
        ...command,
        eventCount: command.events.length,
        answer: resolve,
        fail: reject,
      });
      if (this.mode === 'idle') {
        this.mode = 'running';
        this.running = this.run();
      }
    });
  }

  /** Takes no more commands, finishes and answers the flush in flight, and refuses what still waits. */
  async close(): Promise<void> {
    this.shut(null);
    await this.running;
  }

  private async run(): Promise<void> {
    // Commands that arrive in the same turn of the event loop share the first flush.
    await Promise.resolve();
    while (this.mode === 'running' && this.mailbox.depth > 0) {
      await this.flush();
    }
    this.lastUsedMs = this.dependencies.clock.monotonicMs();
    if (this.mode === 'running') this.mode = 'idle';
  }

  /** One group commit: everything gathered is decided, appended in one round trip, and answered. */
  private async flush(): Promise<void> {
    const { clock, limits, observer } = this.dependencies;
    const startedMs = clock.monotonicMs();
    const commands = this.mailbox
      .take({ eventsMax: limits.flushEventsMax, bytesMax: limits.flushBytesMax })
      .filter((command) => this.isInTime(command));
    if (commands.length === 0) return;
    try {
      const decision = await this.settle(commands);
      observer.flushed({
        requests: commands.length,
        events: decision.accepted.length,
        durationMs: clock.monotonicMs() - startedMs,
      });
      commands.forEach((command, index) => command.answer(decision.answers[index]!));
    } catch (error) {
      this.fail(commands, error);
    }
  }

  /** Decides and appends until the log agrees; on return the decision is durable and the memory matches it. */
  private async settle(commands: readonly Waiting[]): Promise<Decision> {
    const { log, clock, sha256, claimant, observer } = this.dependencies;
    let known = new Knowledge();
    for (let round = 0; round < decisionRoundsMax; round++) {
      if (this.owned === null) {
        if (this.mode === 'closed')
          throw new ShuttingDown('the owner of this store is closing; nothing was stored');
        const claim = await log.claim(this.store, claimant);
        this.owned = new Owned(claim);
        known = new Knowledge();
        observer.claimed(this.store, claim);
      }
      const owned = this.owned;
      this.recall(owned, commands, known);
      if (clock.monotonicMs() < owned.lookFirstUntilMs) await this.lookUpAll(owned, commands, known);

      const decision = decide(this.store, owned.state, commands, known, clock.nowMicros(), sha256);
      if (decision.kind === 'needs') {
        await this.learn(owned, decision, known);
        continue;
      }

      // Also with nothing accepted: a rejection or a head from an owner that has been replaced may be out of date.
      const outcome = await log.append({
        claim: owned.claim,
        expectedHeads: owned.state.heads,
        sequencedAt: decision.sequencedAt,
        legacy: decision.accepted,
      });
      switch (outcome.kind) {
        case 'appended':
          this.remember(owned, decision);
          return decision;
        case 'conflict':
          owned.lookFirstUntilMs = clock.monotonicMs() + lookFirstMs;
          break;
        case 'heads-moved':
          // An earlier append of ours was saved unseen. What is durable decides; claim again to read it.
          this.owned = null;
          break;
        case 'fenced':
          throw new Fenced(`${storeKeyText(this.store)} is owned by ${outcome.claimant}`, {
            claimant: outcome.claimant,
            epoch: outcome.epoch,
          });
      }
    }
    throw new InvariantBroken(`${decisionRoundsMax} rounds did not settle a flush`, {
      ...this.store,
      epoch: this.owned?.claim.epoch,
      heads: this.owned?.state.heads,
      requests: commands.map((command) => command.requestId),
    });
  }

  /** Takes from memory what is known of the events of these commands. */
  private recall(owned: Owned, commands: readonly Waiting[], known: Knowledge): void {
    const { stored } = this.dependencies;
    for (const { events } of commands) {
      for (const event of events) {
        const ref = stored.get(owned.claim.storeNumber, 'legacy', event.eventId);
        if (ref !== undefined) known.events.set(event.eventId, ref);
        if (event.baseVersion === null || owned.versions === null) continue;
        const entity = entityText(event);
        const version = owned.versions.get(entity);
        if (version !== undefined) known.versions.set(entity, version);
      }
    }
  }

  private async lookUpAll(owned: Owned, commands: readonly Waiting[], known: Knowledge): Promise<void> {
    const events = new Set<EventId>();
    const commandIds = new Set<CommandId>();
    for (const command of commands) {
      for (const { eventId, commandId } of command.events) {
        if (!known.events.has(eventId)) events.add(eventId);
        if (commandId !== null && !known.commands.has(commandId)) commandIds.add(commandId);
      }
    }
    await this.learn(owned, { kind: 'needs', events, commands: commandIds, entities: new Map() }, known);
  }

  /** Asks the log for the facts that a decision lacks. */
  private async learn(owned: Owned, needs: Needs, known: Knowledge): Promise<void> {
    const { log, clock } = this.dependencies;
    const { claim } = owned;
    if (needs.events.size > 0) {
      const found = await log.findEvents(claim, 'legacy', [...needs.events]);
      for (const eventId of needs.events) known.events.set(eventId, found.get(eventId) ?? null);
      if (found.size > 0) owned.lookFirstUntilMs = clock.monotonicMs() + lookFirstMs;
    }
    if (needs.commands.size > 0) {
      const found = await log.findCommands(claim, 'legacy', [...needs.commands]);
      for (const commandId of needs.commands) known.commands.set(commandId, found.get(commandId) ?? null);
    }
    if (needs.entities.size > 0) {
      const names = [...needs.entities.keys()];
      const versions = await log.entityVersions(claim, [...needs.entities.values()]);
      names.forEach((name, index) => {
        known.versions.set(name, versions[index]!);
        owned.keepVersion(name, versions[index]!);
      });
    }
  }

  private remember(owned: Owned, decision: Decision): void {
    owned.state = decision.state;
    for (const { event, sequence, requestId } of decision.accepted) {
      this.dependencies.stored.add(owned.claim.storeNumber, 'legacy', event.eventId, { sequence, requestId });
      owned.raiseVersion(event);
    }
  }

  private isInTime(command: Waiting): boolean {
    if (this.dependencies.clock.monotonicMs() < command.deadlineMs) return true;
    command.fail(
      new DeadlineExceeded('the request ran out of time before it was appended; nothing was stored'),
    );
    return false;
  }

  private fail(commands: readonly Waiting[], cause: unknown): void {
    const error =
      cause instanceof SequencerError
        ? cause
        : new AppendOutcomeUnknown('the append failed in an unforeseen way', { ...this.store }, { cause });
    // Whatever went wrong, memory may differ from the log by now, unless it is certain that nothing was sent.
    if (!(error instanceof LogUnavailable)) this.owned = null;
    for (const command of commands) command.fail(error);
    if (error.kind === 'fenced' || error.kind === 'corrupt') this.shut(error);
  }

  private shut(cause: SequencerError | null): void {
    if (this.mode === 'closed') return;
    this.mode = 'closed';
    this.closeCause = cause;
    const refusal = cause ?? new ShuttingDown('the owner of this store is closing; nothing was stored');
    for (const command of this.mailbox.takeAll()) command.fail(refusal);
    this.dependencies.observer.closed(this.store, cause);
  }
}

/** What the actor knows while its claim holds, and forgets with it. */
class Owned {
  readonly claim: Claim;
  state: StoreState;
  lookFirstUntilMs = 0;
  /** Made when the first `base_version` comes, since most stores never send one. */
  versions: LRUCache<string, EntityVersion> | null = null;

  constructor(claim: Claim) {
    this.claim = claim;
    this.state = { heads: claim.heads, lastSequencedAt: claim.lastSequencedAt };
  }

  keepVersion(entity: string, version: EntityVersion): void {
    this.versions ??= new LRUCache({ max: versionsKeptMax });
    this.versions.set(entity, version);
  }

  raiseVersion(event: LegacyEvent): void {
    if (this.versions === null) return;
    const entity = entityText(event);
    const version = this.versions.get(entity);
    if (version !== undefined) this.versions.set(entity, (version + 1) as EntityVersion);
  }
}

/** Facts gathered for one flush. */
class Knowledge {
  readonly events = new Map<EventId, StoredRef | null>();
  readonly commands = new Map<CommandId, StoredRef | null>();
  readonly versions = new Map<string, EntityVersion>();
}
