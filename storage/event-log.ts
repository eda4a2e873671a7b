import type { LegacyEvent, StoredLegacyEvent } from '../domain/legacy/event.ts';
import type { Sequenced } from '../domain/sequencing/decision.ts';
import type {
  CommandId,
  EntityVersion,
  Epoch,
  EventId,
  Heads,
  Micros,
  RequestId,
  Sequence,
  StoreKey,
  World,
} from '../domain/types.ts';
import type { CheckedVesEvent, ReceiptSignature, StoredVesEvent } from '../domain/ves/event.ts';

/**
 * The durable log of every stream, and the fence that keeps old owners out.
 *
 * Safety rests on two rules that every implementation keeps and that the contract suite (test/contract) checks:
 * an append is all or nothing, and it takes effect only while its store's row still has the epoch and the heads
 * that the batch names. No clock and no lease is part of the argument.
 */
export interface EventLog {
  /**
   * Raises the store's epoch by one, makes `claimant` its owner, and returns what is durable at that instant.
   * Creates the store's row when there is none. Waits for an append in flight; after a second it ends the session
   * that holds the row, since a paused owner would otherwise block take-over.
   *
   * Concurrent claims of one store are ordered; each gets an epoch of its own.
   * @throws Refused when it would make one store more than a tenant may have; such a store leaves no trace
   * @throws LogUnavailable when the log can't be reached (a claim that went out unanswered is harmless: claim again)
   * @throws Refused when the tenant was erased: nobody owns its stores any more
   * @throws LogRolledBack while a loss of acknowledged events of the store is open (`LostHeads`)
   */
  claim(store: StoreKey, claimant: string): Promise<Claim>;

  /**
   * Appends the batch after the named heads: durable on return of `appended`, and nothing of it exists otherwise.
   *
   * An empty batch stores nothing; its outcome says whether the claimant still owned the store at that instant.
   *
   * Batches of different stores may share one statement, but none can make another fail. A store's batches are
   * sent one after the other.
   * @throws LogUnavailable when nothing can have been stored
   * @throws AppendRefused when the log refuses what is in it; nothing was stored
   * @throws Refused when the tenant was erased; nothing was stored
   * @throws AppendOutcomeUnknown when it went out and no answer came back in time
   * @throws InvariantBroken when the batch does not fit together, or the log can't hold it; nothing was stored
   */
  append(batch: AppendBatch): Promise<AppendOutcome>;

  /** Of these event ids, those already stored in the legacy stream. Order and repeats in the input do not matter. */
  findEvents(claim: Claim, eventIds: readonly EventId[]): Promise<Map<EventId, EventRef>>;

  /**
   * The same for the VES stream, with the whole events: an equal repeat is answered with the stored receipt.
   *
   * This and all reads of events throw PayloadUnreadable when this node can't or may not open a payload, and PayloadDamaged
   * when one is not what was stored.
   */
  findVesEvents(claim: Claim, eventIds: readonly EventId[]): Promise<Map<EventId, StoredVesEvent>>;

  /** Of these command ids, those already used in the stream, with the event that used them. */
  findCommands(
    claim: Claim,
    world: World,
    commandIds: readonly CommandId[],
  ): Promise<Map<CommandId, EventRef>>;

  /** The versions of these entities, in input order; counts every event of both worlds that is durable now. */
  entityVersions(claim: Claim, entities: readonly EntityKey[]): Promise<EntityVersion[]>;

  /** The heads of a store; zeros for one that was never written. */
  heads(store: StoreKey): Promise<Heads>;

  /** Events `from` … `to` of the legacy stream that exist, ascending, at most `to - from + 1`. */
  readLegacy(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredLegacyEvent[]>;

  /** Events `from` … `to` of the VES stream that exist, ascending, at most `to - from + 1`. */
  readVes(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredVesEvent[]>;

  /** One event of the VES stream; null when it has none with this id. */
  readVesEvent(store: StoreKey, eventId: EventId): Promise<StoredVesEvent | null>;

  /** A page of one entity's legacy events, ascending by sequence, and how many there are in all. */
  readLegacyEntity(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ events: StoredLegacyEvent[]; total: number }>;
}

export interface EntityKey {
  readonly entityType: string;
  readonly entityId: string;
}

/** What a claim found durable, and the term under which the claimant may append. */
export interface Claim extends StoreKey {
  /** The log's own short number for the store; opaque to everyone else. */
  readonly storeNumber: number;
  readonly epoch: Epoch;
  readonly heads: Heads;
  /** Who claimed the store before, which may be the same claimant; null for a store that nobody had. */
  readonly previousClaimant: string | null;
  /** `sequenced_at` of the last event of either world, null when there is none; the next may not lie before it. */
  readonly lastSequencedAt: Micros | null;
}

/** Where an event that is already stored lies, and which request stored it. */
export interface EventRef {
  readonly eventId: EventId;
  readonly sequence: Sequence;
  readonly requestId: RequestId;
}

export type NewLegacyEvent = Sequenced<LegacyEvent>;

export interface NewVesEvent extends Sequenced<CheckedVesEvent> {
  /** Null when this node signs no receipts. */
  readonly receiptSignature: ReceiptSignature | null;
}

/** The accepted events of one flush of one store; one batch may append to both worlds. */
export interface AppendBatch {
  /** Names the store and the epoch; the heads in it are those at the claim, not those expected now. */
  readonly claim: Claim;
  /** The heads that the store must have for the batch to take effect. */
  readonly expectedHeads: Heads;
  /** The time given to every event of the batch, never before that of the batch before. */
  readonly sequencedAt: Micros;
  /** Ascending and contiguous from `expectedHeads.legacy + 1`. */
  readonly legacy: readonly NewLegacyEvent[];
  /** Ascending and contiguous from `expectedHeads.ves + 1`. */
  readonly ves: readonly NewVesEvent[];
}

export type AppendOutcome =
  | { readonly kind: 'appended' }
  /** The row has a newer epoch: ownership is lost. */
  | { readonly kind: 'fenced'; readonly epoch: Epoch; readonly claimant: string }
  /** Same epoch, other heads: an earlier append was saved unseen, or failed. Reload and decide again. */
  | { readonly kind: 'heads-moved'; readonly heads: Heads }
  /** An event id or command id of the batch is already stored. Look the ids up and decide again. */
  | { readonly kind: 'conflict' };
