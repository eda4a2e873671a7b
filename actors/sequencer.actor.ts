import type { Clock } from '../domain/clock.ts';
import {
  AppendOutcomeUnknown,
  AppendRefused,
  CircuitOpen,
  ClusterUnreachable,
  DeadlineExceeded,
  Fenced,
  InvariantBroken,
  LogUnavailable,
  PayloadDamaged,
  PayloadUnreadable,
  Refused,
  SequencerError,
  ShuttingDown,
} from '../domain/errors.ts';
import { decide } from '../domain/sequencing/decide.ts';
import type { Answer, AppendRequest, Decision } from '../domain/sequencing/decision.ts';
import type { Sha256 } from '../domain/sha256.ts';
import { storeKeyText } from '../domain/types.ts';
import type { Epoch, Heads, Micros, Sequence, StoreKey } from '../domain/types.ts';
import { receiptHash } from '../domain/ves/hashes.ts';
import type { Claim, EventLog, NewVesEvent } from '../storage/event-log.ts';
import { type Attempt, Flush } from './flush.ts';
import type { KnownHeads } from './known-heads.ts';
import { Mailbox } from './mailbox.ts';
import { Knowledge, OwnedStore } from './owned-store.ts';
import type { ReceiptSigner } from './receipt-signer.ts';
import type { StoredCache } from './stored-cache.ts';

/** One client request for this store, read from its bytes and checked as a whole. */
export type AppendCommand = AppendRequest & {
  /** Size of the request in bytes, for the bounds. */
  readonly byteCount: number;
  /** On the clock's monotonic scale: a command still waiting then is answered and not appended. */
  readonly deadlineMs: number;
  /** Names the request to the observer of the flush; means nothing here. */
  readonly traceparent?: string;
};

export interface ActorLimits {
  readonly mailboxCommandsMax: number;
  readonly mailboxBytesMax: number;
  /** Bounds of one flush of this actor; a single larger request still goes through alone. */
  readonly flushEventsMax: number;
  readonly flushBytesMax: number;
  /** From this much on, requests are appended behind the append on its way instead of gathering more until it is there. */
  readonly aheadBytesMin: number;
}

/** A flush that is durable. */
export interface FlushFacts {
  readonly requests: number;
  readonly events: number;
  /** From taking the requests up to the append's end. */
  readonly durationMs: number;
  /** How long the oldest of its requests had waited when it was taken. */
  readonly ageMs: number;
  /** Of that, the last append: the one that the log took. */
  readonly appendMs: number;
  /** Of those requests that have one. */
  readonly traceparents: readonly string[];
  /** The claim that it began with; null when the actor held one already. */
  readonly claimed: Claim | null;
}

/** What a live actor has and what waits for it. */
export interface ActorReport extends StoreKey {
  /** Of its claim; null while it has none. */
  readonly owned: { readonly epoch: Epoch; readonly heads: Heads } | null;
  readonly requestsWaiting: number;
  /** On the clock's monotonic scale. */
  readonly lastUsedMs: number;
}

/** What happened inside an actor that a metric or a log line wants to know. */
export interface ActorObserver {
  claimed(store: StoreKey, claim: Claim): void;
  flushed(facts: FlushFacts): void;
  closed(store: StoreKey, cause: SequencerError | null): void;
}

export interface ActorDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** Null when receipts are not signed. */
  readonly receiptSigner: ReceiptSigner | null;
  /** This node, as the fence row will name it. */
  readonly claimant: string;
  readonly limits: ActorLimits;
  readonly stored: StoredCache;
  readonly observer: ActorObserver;
  /** Whether this node sees the others; while it does not, it claims nothing, and keeps what it has. Always, unless given. */
  readonly mayClaim?: () => boolean;
  /** What this node acknowledged before. Nothing is remembered unless given. */
  readonly knownHeads?: KnownHeads;
}

/** What one request is told, and what the receipts of its signed events need beside it. */
export interface AppendAnswer extends Answer {
  /** Of the events that this flush appended. */
  readonly sequencedAt: Micros;
  /** The signed events that this flush appended, by sequence. */
  readonly appended: ReadonlyMap<Sequence, NewVesEvent>;
}

/** A decision that keeps asking or keeps conflicting is a fault of ours, not of the caller. */
const decisionRoundsMax = 8;

type Waiting = AppendCommand & {
  /** On the clock's monotonic scale. */
  readonly arrivedMs: number;
  readonly eventCount: number;
  answer(answer: AppendAnswer): void;
  fail(error: SequencerError): void;
};

/**
 * The single owner of one store's streams: it numbers events in memory, appends them, and answers afterwards.
 *
 * Modes and the moves between them:
 * - `idle`: nothing waits. A command starts the run loop.
 * - `running`: claims if it holds no claim, then flushes until the mailbox is empty, then `idle` again. One flush may be
 *   sent behind another, so that the log is not idle while the next is decided.
 * - `closed`: everything that it held was answered, and commands are refused. Reached by a fence (another node owns
 *   the store), when the store may not be made, by a broken invariant, and by `close()`. A closed actor is thrown
 *   away; a new one claims afresh.
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
  private owned: OwnedStore | null = null;
  private closeCause: SequencerError | null = null;
  private running: Promise<void> = Promise.resolve();
  /** Called when enough waits to be sent behind the append on its way; null while nobody waits for that. */
  private onEnough: (() => void) | null = null;

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

  /** Whether it holds a claim. */
  get isOwner(): boolean {
    return this.owned !== null;
  }

  get requestsWaiting(): number {
    return this.mailbox.depth;
  }

  report(): ActorReport {
    const { store, owned, mailbox, lastUsedMs } = this;
    return {
      ...store,
      owned: owned === null ? null : { epoch: owned.claim.epoch, heads: owned.state.heads },
      requestsWaiting: mailbox.depth,
      lastUsedMs,
    };
  }

  /** Closed, and not by a broken invariant: that stays until a person has looked and restarted the node. */
  get mayBeReplaced(): boolean {
    return this.mode === 'closed' && this.closeCause?.kind !== 'corrupt';
  }

  /**
   * Sequences and appends the events of one request; resolves once the accepted ones are durable.
   *
   * @throws MailboxFull, DeadlineExceeded, LogUnavailable, CircuitOpen, LogRolledBack, ClusterUnreachable, ShuttingDown: nothing of the request was stored
   * @throws Fenced when another owner has the store; nothing was stored
   * @throws Refused when its tenant may have no more stores; nothing was stored
   * @throws AppendOutcomeUnknown when it may or may not be stored; sending the same event ids again settles it
   * @throws AppendRefused when the log refuses these events; nothing was stored, and the actor carries on
   * @throws InvariantBroken when the log contradicts itself; the actor stays closed
   */
  append(command: AppendCommand): Promise<AppendAnswer> {
    if (this.mode === 'closed') {
      return Promise.reject(this.closeCause ?? new ShuttingDown('the owner of this store is closing'));
    }
    this.lastUsedMs = this.dependencies.clock.monotonicMs();
    return new Promise((resolve, reject) => {
      this.mailbox.put({
        ...command,
        arrivedMs: this.lastUsedMs,
        eventCount: command.events.length,
        answer: resolve,
        fail: reject,
      });
      if (this.mode === 'idle') {
        this.mode = 'running';
        this.running = this.run();
      } else if (this.mailbox.byteCount >= this.dependencies.limits.aheadBytesMin) {
        this.onEnough?.();
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
    let flush: Flush<Waiting> | null = null;
    while (flush !== null || (this.mode === 'running' && this.mailbox.depth > 0)) {
      flush ??= this.take();
      if (flush !== null) flush = await this.serve(flush);
    }
    this.lastUsedMs = this.dependencies.clock.monotonicMs();
    if (this.mode === 'running') this.mode = 'idle';
  }

  /** One group commit: everything gathered, within the bounds; null when all of it ran out of time. */
  private take(): Flush<Waiting> | null {
    const { limits, clock } = this.dependencies;
    const commands = this.mailbox
      .take({ eventsMax: limits.flushEventsMax, bytesMax: limits.flushBytesMax })
      .filter((command) => this.isInTime(command));
    return commands.length > 0 ? new Flush(commands, clock.monotonicMs()) : null;
  }

  /**
   * Settles the flush and answers each of its commands.
   * @returns the one taken meanwhile, which is next; null when none was
   */
  private async serve(flush: Flush<Waiting>, mayLookAhead = true): Promise<Flush<Waiting> | null> {
    const { clock, observer } = this.dependencies;
    const { commands, takenMs } = flush;
    try {
      if (flush.attempt === null && this.closeCause !== null) throw this.closeCause;
      flush.attempt ??= await this.send(flush);
      if (mayLookAhead) flush.next = await this.lookAhead(flush.attempt);
      const { decision, ves, sentMs } = await this.settle(flush);
      const settledMs = clock.monotonicMs();
      observer.flushed({
        requests: commands.length,
        events: decision.legacy.length + decision.ves.length,
        durationMs: settledMs - takenMs,
        ageMs: takenMs - commands[0]!.arrivedMs,
        appendMs: settledMs - sentMs,
        traceparents: commands.flatMap(({ traceparent }) => traceparent ?? []),
        claimed: flush.claimed,
      });
      const appended = new Map(ves.map((event) => [event.sequence, event]));
      commands.forEach((command, index) => {
        command.answer({ ...decision.answers[index]!, sequencedAt: decision.sequencedAt, appended });
      });
    } catch (error) {
      await flush.recallNext();
      // Whose events the log refuses, or can't compare with what is stored, is not known: one by one, only that request fails.
      if (isAboutOneRequest(error) && commands.length > 1) {
        for (const command of commands) await this.serve(new Flush([command], clock.monotonicMs()), false);
      } else {
        this.fail(commands, error);
      }
    }
    return flush.next;
  }

  /** Decides and appends until the log agrees; on return the decision is durable and the memory matches it. */
  private async settle(flush: Flush<Waiting>): Promise<Attempt> {
    for (;;) {
      const attempt = (flush.attempt ??= await this.send(flush));
      const { owned, decision } = attempt;
      const outcome = await attempt.outcome;
      if (outcome.kind === 'appended') {
        owned.remember(decision);
        this.dependencies.knownHeads?.note(owned.claim, decision);
        return attempt;
      }
      await flush.recallNext();
      flush.attempt = null;
      switch (outcome.kind) {
        case 'conflict':
          owned.expectRepeats();
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
  }

  /** Claims if need be, decides, after asking the log for what memory lacks, and sends the append. */
  private async send(flush: Flush<Waiting>): Promise<Attempt> {
    const { clock, sha256 } = this.dependencies;
    const { commands } = flush;
    while (flush.rounds < decisionRoundsMax) {
      flush.rounds += 1;
      if (this.owned === null) {
        this.owned = await this.claim();
        flush.claimed = this.owned.claim;
        flush.known = new Knowledge();
      }
      const { owned } = this;
      await owned.recall(commands, flush.known);
      const decision = decide(this.store, owned.state, commands, flush.known, clock.nowMicros(), sha256);
      if (decision.kind === 'decided') return this.sendDecision(owned, owned.state.heads, decision);
      await owned.learn(decision, flush.known);
    }
    throw new InvariantBroken(`${decisionRoundsMax} rounds did not settle a flush`, {
      ...this.store,
      epoch: this.owned?.claim.epoch,
      heads: this.owned?.state.heads,
      requests: commands.map((command) => command.requestId),
    });
  }

  private async sendDecision(owned: OwnedStore, expectedHeads: Heads, decision: Decision): Promise<Attempt> {
    const { log, clock } = this.dependencies;
    const { legacy, sequencedAt } = decision;
    const ves = await this.signReceipts(decision);
    const sentMs = clock.monotonicMs();
    // Also with nothing accepted: a rejection or a head from an owner that has been replaced may be out of date.
    const outcome = log.append({ claim: owned.claim, expectedHeads, sequencedAt, legacy, ves });
    outcome.catch(() => undefined); // Whoever settles the flush hears of it; that may be later.
    return { owned, decision, ves, sentMs, outcome };
  }

  /**
   * While an append is on its way, takes the next flush as soon as enough waits, decides it on the heads that the append
   * will leave, and sends it behind. If the first fails, the second expects heads that don't exist, so the log refuses it.
   * @returns null when too little came before the outcome
   */
  private async lookAhead({ owned, decision, outcome }: Attempt): Promise<Flush<Waiting> | null> {
    if (isEmpty(decision)) return null;
    if (!(await this.waitForEnough(outcome)) || this.mode !== 'running' || this.owned !== owned) return null;
    const next = this.take();
    // What needs a look into the log, or is wrong in itself, waits for its turn.
    if (next !== null && owned.needsNoLook(next.commands)) {
      next.attempt = await this.sendAhead(owned, decision, next).catch(() => null);
    }
    return next;
  }

  private async sendAhead(
    owned: OwnedStore,
    before: Decision,
    { commands, known }: Flush<Waiting>,
  ): Promise<Attempt | null> {
    const { clock, sha256 } = this.dependencies;
    const decision = decide(this.store, before.state, commands, known, clock.nowMicros(), sha256);
    if (decision.kind === 'needs' || isEmpty(decision)) return null;
    return this.sendDecision(owned, before.state.heads, decision);
  }

  /** @returns whether so much waits that gathering more would gain little; false when the outcome was there before */
  private async waitForEnough(outcome: Promise<unknown>): Promise<boolean> {
    const { aheadBytesMin } = this.dependencies.limits;
    if (this.mailbox.byteCount >= aheadBytesMin) return true;
    const enough = new Promise<boolean>((resolve) => (this.onEnough = () => resolve(true)));
    const settled = outcome.then(
      () => false,
      () => false,
    );
    const isEnough = await Promise.race([enough, settled]);
    this.onEnough = null;
    return isEnough;
  }

  /** Before the append, since a receipt is stored with its event: a replay after a change of keys must return it. */
  private async signReceipts({ ves }: Decision): Promise<NewVesEvent[]> {
    const { receiptSigner, sha256 } = this.dependencies;
    if (receiptSigner === null || ves.length === 0) {
      return ves.map((event) => ({ ...event, receiptSignature: null }));
    }
    const hashes = ves.map(({ event, sequence }) =>
      receiptHash({ ...this.store, eventId: event.eventId }, sequence, event.signingHash, sha256),
    );
    const signatures = await receiptSigner.sign(hashes);
    return ves.map((event, index) => ({ ...event, receiptSignature: signatures[index]! }));
  }

  private async claim(): Promise<OwnedStore> {
    if (this.mode === 'closed') {
      throw new ShuttingDown('the owner of this store is closing; nothing was stored');
    }
    const { log, claimant, observer, mayClaim, knownHeads } = this.dependencies;
    if (mayClaim?.() === false) {
      throw new ClusterUnreachable(
        'this node does not see the others, so it claims nothing; nothing was stored',
        {
          ...this.store,
        },
      );
    }
    const claim = await log.claim(this.store, claimant);
    await knownHeads?.check(claim);
    observer.claimed(this.store, claim);
    return new OwnedStore(claim, this.dependencies);
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
    const isUntouched = error instanceof LogUnavailable || error instanceof CircuitOpen;
    if (!isUntouched && !isAboutOneRequest(error)) this.owned = null;
    for (const command of commands) command.fail(error);
    // A store that may not be made has no use for an actor.
    const isOver = error instanceof Fenced || error instanceof Refused || error instanceof InvariantBroken;
    if (isOver) this.shut(error);
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

function isEmpty({ legacy, ves }: Decision): boolean {
  return legacy.length + ves.length === 0;
}

/** Whether requests that shared the flush may do better without the one that this is about. */
function isAboutOneRequest(error: unknown): boolean {
  return (
    error instanceof AppendRefused || error instanceof PayloadUnreadable || error instanceof PayloadDamaged
  );
}
