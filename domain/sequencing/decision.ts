import type { LegacyEvent } from '../legacy/event.ts';
import type {
  CommandId,
  EntityVersion,
  EventId,
  Hash,
  Head,
  Heads,
  Micros,
  RequestId,
  Sequence,
} from '../types.ts';
import type { CheckedVesEvent, StoredVesEvent } from '../ves/event.ts';
import type { Rejection } from './rejection.ts';

/** What goes into a decision, and what comes out of it. */

/** What an owner knows of its store without asking the log. */
export interface StoreState {
  readonly heads: Heads;
  /** Time given to the last event of either world, or null before the first. */
  readonly lastSequencedAt: Micros | null;
}

/** One client request, read and checked as a whole, waiting for its events to be decided. */
export type AppendRequest = { readonly requestId: RequestId } & (
  | { readonly world: 'legacy'; readonly events: readonly LegacyEvent[] }
  | { readonly world: 'ves'; readonly events: readonly CheckedVesEvent[] }
);

/** An event that is in the log: where it lies, and which request put it there. */
export interface StoredRef {
  readonly sequence: Sequence;
  readonly requestId: RequestId;
}

/**
 * What has been learnt of one stream. An absent key means "not asked": the event is then decided as if new, and the
 * log's unique indexes catch what is not. A null means "asked, and not there".
 */
export interface StreamFacts<Stored extends StoredRef> {
  readonly events: ReadonlyMap<EventId, Stored | null>;
  readonly commands: ReadonlyMap<CommandId, StoredRef | null>;
}

export interface Facts {
  readonly legacy: StreamFacts<StoredRef>;
  /** Whole events, since a repeat with equal content gets the stored receipt. */
  readonly ves: StreamFacts<StoredVesEvent>;
  /** By `entityText`; the version at the state's heads. */
  readonly versions: ReadonlyMap<string, EntityVersion>;
}

export interface StreamNeeds {
  readonly events: ReadonlySet<EventId>;
  readonly commands: ReadonlySet<CommandId>;
}

/** Facts without which the answer would be a guess. */
export interface Needs {
  readonly kind: 'needs';
  readonly legacy: StreamNeeds;
  readonly ves: StreamNeeds;
  readonly entities: ReadonlyMap<string, { readonly entityType: string; readonly entityId: string }>;
}

/** An accepted event with its place. */
export interface Sequenced<Event> extends StoredRef {
  readonly event: Event;
  readonly leafHash: Hash;
}

export interface Decision {
  readonly kind: 'decided';
  /** By world, in order, numbered contiguously after the head; empty when nothing is accepted. */
  readonly legacy: readonly Sequenced<LegacyEvent>[];
  readonly ves: readonly Sequenced<CheckedVesEvent>[];
  readonly sequencedAt: Micros;
  /** The state once the events are durable, and not before. */
  readonly state: StoreState;
  /** One for each request, in input order. */
  readonly answers: readonly Answer[];
}

/** An event of the request that is in the log. */
export interface Acceptance {
  readonly eventId: EventId;
  readonly sequence: Sequence;
  /** Whether this request put it there, at this attempt or an earlier one; else it repeats an equal signed event. */
  readonly isNew: boolean;
  /** The signed event as it was stored before this flush; null for one that this flush appends. */
  readonly stored: StoredVesEvent | null;
}

/** What one request is told: some events accepted, the others rejected one by one. */
export interface Answer {
  /** In input order. */
  readonly acceptances: readonly Acceptance[];
  /** In input order. */
  readonly rejections: readonly Rejection[];
  /** The head of the stream after this request. */
  readonly head: Head;
}

/** One text per entity, for maps; type and id hold no U+0000, so the separator can't be imitated. */
export function entityText(entity: { readonly entityType: string; readonly entityId: string }): string {
  return `${entity.entityType}\0${entity.entityId}`;
}
