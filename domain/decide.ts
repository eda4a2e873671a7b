import { InvariantBroken } from './errors.ts';
import type { LegacyEvent } from './legacy/event.ts';
import { legacyLeafHash } from './legacy/hashes.ts';
import type { Sha256 } from './sha256.ts';
import { headAt, sequenceAfter, sequenceMax } from './types.ts';
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
  StoreKey,
} from './types.ts';

/**
 * The rules of sequencing (ves-format 9) as one plain function: what is accepted, which number it gets, and what
 * everyone is told. It reads no clock and no log. Where it would need to know something of the log it says so, and
 * is asked again with the answer; so the common case, new events, costs no look-up at all.
 */

/** What an owner knows of its store without asking the log. */
export interface StoreState {
  readonly heads: Heads;
  /** Time given to the last event of either world, or null before the first. */
  readonly lastSequencedAt: Micros | null;
}

/** One client request, read and checked as a whole, waiting for its events to be decided. */
export interface AppendRequest {
  readonly requestId: RequestId;
  readonly events: readonly LegacyEvent[];
}

/** An event that is in the log: where it lies, and which request put it there. */
export interface StoredRef {
  readonly sequence: Sequence;
  readonly requestId: RequestId;
}

/**
 * What has been learnt of the log. An absent key means "not asked": the events are then decided as if new, and the
 * log's unique indexes catch what is not. A null means "asked, and not there".
 */
export interface Facts {
  readonly events: ReadonlyMap<EventId, StoredRef | null>;
  readonly commands: ReadonlyMap<CommandId, StoredRef | null>;
  /** By `entityText`; the version at the state's heads. */
  readonly versions: ReadonlyMap<string, EntityVersion>;
}

/** Facts without which the answer would be a guess. */
export interface Needs {
  readonly kind: 'needs';
  readonly events: ReadonlySet<EventId>;
  readonly commands: ReadonlySet<CommandId>;
  readonly entities: ReadonlyMap<string, { readonly entityType: string; readonly entityId: string }>;
}

export interface Decision {
  readonly kind: 'decided';
  /** In order, numbered contiguously after the head; empty when nothing is accepted. */
  readonly accepted: readonly SequencedEvent[];
  readonly sequencedAt: Micros;
  /** The state once `accepted` is durable, and not before. */
  readonly state: StoreState;
  /** One for each request, in input order. */
  readonly answers: readonly Answer[];
}

export interface SequencedEvent extends StoredRef {
  readonly event: LegacyEvent;
  readonly leafHash: Hash;
}

/** Why one event was not accepted (ves-format 9.5, in the domain's words). */
export type RejectionReason =
  'duplicate-event-id' | 'duplicate-command-id' | 'payload-hash-differs' | 'version-conflict';

export interface Rejection {
  readonly eventId: EventId;
  readonly reason: RejectionReason;
  readonly message: string;
  /** Of the stored event, when the reason is an event id that is in the log. */
  readonly sequence?: Sequence;
}

/** What one request is told: some events accepted, the others rejected one by one. */
export interface Answer {
  /** The accepted events in input order. */
  readonly receipts: readonly { readonly eventId: EventId; readonly sequence: Sequence }[];
  readonly rejections: readonly Rejection[];
  /** The head of the stream after this request. */
  readonly head: Head;
}

/** One text per entity, for maps; type and id hold no U+0000, so the separator can't be imitated. */
export function entityText(entity: { readonly entityType: string; readonly entityId: string }): string {
  return `${entity.entityType}\0${entity.entityId}`;
}

/**
 * Decides the requests of one flush, in order, as if each had come alone.
 *
 * @param now the wall clock; time given to events never goes back within a store, whatever this says
 * @throws InvariantBroken when the stream has no sequence left
 */
export function decide(
  store: StoreKey,
  state: StoreState,
  requests: readonly AppendRequest[],
  facts: Facts,
  now: Micros,
  sha256: Sha256,
): Decision | Needs {
  return new Flush(store, state, facts, sha256).decide(requests, now);
}

/** The working state of one decision. */
class Flush {
  private readonly store: StoreKey;
  private readonly state: StoreState;
  private readonly facts: Facts;
  private readonly sha256: Sha256;

  private head: Head;
  private readonly accepted: SequencedEvent[] = [];
  private readonly acceptedEvents = new Map<EventId, StoredRef>();
  private readonly acceptedCommands = new Set<CommandId>();
  /** How far accepted events of this flush have raised each entity. */
  private readonly raised = new Map<string, number>();

  private readonly neededEvents = new Set<EventId>();
  private readonly neededCommands = new Set<CommandId>();
  private readonly neededEntities = new Map<string, { entityType: string; entityId: string }>();

  constructor(store: StoreKey, state: StoreState, facts: Facts, sha256: Sha256) {
    this.store = store;
    this.state = state;
    this.facts = facts;
    this.sha256 = sha256;
    this.head = state.heads.legacy;
  }

  decide(requests: readonly AppendRequest[], now: Micros): Decision | Needs {
    const answers = requests.map((request) => this.answer(request));
    if (this.neededEvents.size + this.neededCommands.size + this.neededEntities.size > 0) {
      return {
        kind: 'needs',
        events: this.neededEvents,
        commands: this.neededCommands,
        entities: this.neededEntities,
      };
    }
    const last = this.state.lastSequencedAt;
    const sequencedAt = last !== null && last > now ? last : now;
    return {
      kind: 'decided',
      accepted: this.accepted,
      sequencedAt,
      state:
        this.accepted.length === 0
          ? this.state
          : {
              heads: { ...this.state.heads, legacy: this.head },
              lastSequencedAt: sequencedAt,
            },
      answers,
    };
  }

  private answer(request: AppendRequest): Answer {
    if (request.events.some((event) => this.findStored(event.eventId)?.requestId === request.requestId)) {
      return this.answerAgain(request);
    }
    const receipts: { eventId: EventId; sequence: Sequence }[] = [];
    const rejections: Rejection[] = [];
    const seen = { events: new Set<EventId>(), commands: new Set<CommandId>() };
    for (const event of request.events) {
      const rejection = this.check(event, seen);
      if (rejection === null) {
        receipts.push({ eventId: event.eventId, sequence: this.accept(event, request.requestId) });
      } else {
        rejections.push(rejection);
      }
    }
    return { receipts, rejections, head: this.head };
  }

  /**
   * A request that is already in the log was sent again by a caller that lost the first answer. What it stored is
   * acknowledged; the rest was refused then and stays refused, though its cause may have passed since.
   */
  private answerAgain(request: AppendRequest): Answer {
    const receipts: { eventId: EventId; sequence: Sequence }[] = [];
    const rejections: Rejection[] = [];
    const seen = { events: new Set<EventId>(), commands: new Set<CommandId>() };
    let head = this.state.heads.legacy;
    for (const event of request.events) {
      const repeated = seen.events.has(event.eventId);
      const stored = repeated ? undefined : this.findStored(event.eventId);
      if (stored === undefined && !repeated) this.neededEvents.add(event.eventId);
      if (stored?.requestId === request.requestId) {
        seen.events.add(event.eventId);
        if (event.commandId !== null) seen.commands.add(event.commandId);
        receipts.push({ eventId: event.eventId, sequence: stored.sequence });
        head = headAt(stored.sequence);
      } else {
        rejections.push(this.check(event, seen) ?? versionConflict(event, null));
      }
    }
    return { receipts, rejections, head };
  }

  /** The checks of ves-format 9.2 in their order; null when the event is to be accepted. */
  private check(
    event: LegacyEvent,
    seen: { readonly events: Set<EventId>; readonly commands: Set<CommandId> },
  ): Rejection | null {
    const { eventId, commandId } = event;
    if (seen.events.has(eventId)) {
      return reject(event, 'duplicate-event-id', `event_id ${eventId} is repeated in this batch`);
    }
    seen.events.add(eventId);

    const stored = this.findStored(eventId);
    if (stored) {
      const message = `event_id ${eventId} is already stored with sequence_number ${stored.sequence}`;
      return { ...reject(event, 'duplicate-event-id', message), sequence: stored.sequence };
    }
    // From here on a refusal must be sure that the id is not stored, since that would have been the reason.
    if (event.payloadHashDiffers) {
      if (stored === undefined) this.neededEvents.add(eventId);
      return reject(
        event,
        'payload-hash-differs',
        'payload_hash is not the SHA-256 of the payload; send it without payload_hash to have it computed',
      );
    }

    if (commandId !== null) {
      const repeated = seen.commands.has(commandId) || this.acceptedCommands.has(commandId);
      seen.commands.add(commandId);
      if (repeated || this.facts.commands.get(commandId)) {
        if (stored === undefined) this.neededEvents.add(eventId);
        return reject(
          event,
          'duplicate-command-id',
          `command_id ${commandId} already belongs to another event of this stream`,
        );
      }
    }

    if (event.baseVersion !== null) {
      const version = this.findVersion(event);
      if (version !== null && event.baseVersion !== BigInt(version)) {
        if (stored === undefined) this.neededEvents.add(eventId);
        if (commandId !== null && !this.facts.commands.has(commandId)) this.neededCommands.add(commandId);
        return versionConflict(event, version);
      }
    }
    return null;
  }

  private accept(event: LegacyEvent, requestId: RequestId): Sequence {
    if (this.head >= sequenceMax) {
      throw new InvariantBroken('the stream has no sequence left', { ...this.store, head: this.head });
    }
    const sequence = sequenceAfter(this.head);
    const { payloadHash, entityType, entityId } = event;
    const leafHash = legacyLeafHash(this.store, sequence, payloadHash, entityType, entityId, this.sha256);
    this.head = headAt(sequence);
    this.accepted.push({ event, sequence, requestId, leafHash });
    this.acceptedEvents.set(event.eventId, { sequence, requestId });
    if (event.commandId !== null) this.acceptedCommands.add(event.commandId);
    const entity = entityText(event);
    this.raised.set(entity, (this.raised.get(entity) ?? 0) + 1);
    return sequence;
  }

  /** Where the event is stored or about to be; null when it is known not to be, undefined when nobody asked. */
  private findStored(eventId: EventId): StoredRef | null | undefined {
    return this.acceptedEvents.get(eventId) ?? this.facts.events.get(eventId);
  }

  /** The entity's version at this point of the flush, or null after noting that it must be asked for. */
  private findVersion(event: LegacyEvent): number | null {
    const entity = entityText(event);
    const version = this.facts.versions.get(entity);
    if (version === undefined) {
      this.neededEntities.set(entity, { entityType: event.entityType, entityId: event.entityId });
      return null;
    }
    return version + (this.raised.get(entity) ?? 0);
  }
}

function reject(event: LegacyEvent, reason: RejectionReason, message: string): Rejection {
  return { eventId: event.eventId, reason, message };
}

/** "Expected" is the client's value; the actual one is not known for a retry whose cause has passed. */
function versionConflict(event: LegacyEvent, actual: number | null): Rejection {
  const message =
    actual === null
      ? 'refused at the first attempt of this request; send it as a new request'
      : `expected ${event.baseVersion}, actual ${actual}`;
  return reject(event, 'version-conflict', message);
}
