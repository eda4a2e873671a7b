import { InvariantBroken } from '../errors.ts';
import type { Sha256 } from '../sha256.ts';
import { headAt, sequenceAfter, sequenceMax } from '../types.ts';
import type { CommandId, EventId, Head, RequestId, Sequence, StoreKey } from '../types.ts';
import type { Acceptance, Answer, Sequenced, StoredRef, StreamFacts } from './decision.ts';
import type { EntityVersions } from './entity-versions.ts';
import type { Fault, Rejection } from './rejection.ts';
import type { CandidateEvent, WorldRules } from './world-rules.ts';

export interface StreamFlushOptions<Event extends CandidateEvent, Stored extends StoredRef> {
  readonly store: StoreKey;
  readonly head: Head;
  readonly facts: StreamFacts<Stored>;
  readonly versions: EntityVersions;
  readonly rules: WorldRules<Event, Stored>;
  readonly sha256: Sha256;
}

interface Seen {
  readonly events: Set<EventId>;
  readonly commands: Set<CommandId>;
}

/** The working state of one decision about one stream. */
export class StreamFlush<Event extends CandidateEvent, Stored extends StoredRef> {
  readonly accepted: Sequenced<Event>[] = [];
  readonly neededEvents = new Set<EventId>();
  readonly neededCommands = new Set<CommandId>();
  head: Head;

  private readonly options: StreamFlushOptions<Event, Stored>;
  private readonly acceptedEvents = new Map<EventId, Sequenced<Event>>();
  private readonly acceptedCommands = new Set<CommandId>();

  constructor(options: StreamFlushOptions<Event, Stored>) {
    this.options = options;
    this.head = options.head;
  }

  answer(requestId: RequestId, events: readonly Event[]): Answer {
    if (events.some((event) => this.find(event.eventId)?.requestId === requestId)) {
      return this.answerAgain(requestId, events);
    }
    const acceptances: Acceptance[] = [];
    const rejections: Rejection[] = [];
    const seen: Seen = { events: new Set(), commands: new Set() };
    for (const event of events) {
      const replayed = seen.events.has(event.eventId) ? null : this.replayOf(event);
      if (replayed !== null) {
        seen.events.add(event.eventId);
        acceptances.push(this.acceptance(event, replayed, false));
        continue;
      }
      const rejection = this.check(event, seen);
      if (rejection === null) acceptances.push(this.acceptance(event, this.accept(event, requestId), true));
      else rejections.push(rejection);
    }
    return { acceptances, rejections, head: this.head };
  }

  /**
   * A request that is already in the log was sent again by a caller that lost the first answer. What it stored is
   * acknowledged; the rest was refused then and stays refused, though its cause may have passed since.
   */
  private answerAgain(requestId: RequestId, events: readonly Event[]): Answer {
    const acceptances: Acceptance[] = [];
    const rejections: Rejection[] = [];
    const seen: Seen = { events: new Set(), commands: new Set() };
    let { head } = this.options;
    for (const event of events) {
      const ref = seen.events.has(event.eventId) ? null : this.find(event.eventId);
      if (ref === undefined) this.neededEvents.add(event.eventId);
      if (ref && (ref.requestId === requestId || this.isReplay(event, ref))) {
        seen.events.add(event.eventId);
        if (event.commandId !== null) seen.commands.add(event.commandId);
        acceptances.push(this.acceptance(event, ref, ref.requestId === requestId));
        if (ref.requestId === requestId) head = headAt(ref.sequence);
      } else {
        rejections.push(this.check(event, seen) ?? reject(event, refusedBefore));
      }
    }
    return { acceptances, rejections, head };
  }

  private acceptance(event: Event, ref: Stored | Sequenced<Event>, isNew: boolean): Acceptance {
    const { eventId } = event;
    return { eventId, sequence: ref.sequence, isNew, stored: this.options.rules.storedOf(ref) };
  }

  private replayOf(event: Event): Stored | Sequenced<Event> | null {
    const ref = this.find(event.eventId);
    return ref && this.isReplay(event, ref) ? ref : null;
  }

  private isReplay(event: Event, ref: Stored | Sequenced<Event>): boolean {
    return event.schemaFault === undefined && this.options.rules.isReplay(event, ref);
  }

  /** The checks of ves-format 9.2 in their order, replays apart; null when the event is to be accepted. */
  private check(event: Event, seen: Seen): Rejection | null {
    const { eventId, commandId, schemaFault } = event;
    if (schemaFault !== undefined) return this.rejectBySchema(event, schemaFault);
    if (seen.events.has(eventId)) {
      return reject(event, {
        reason: 'duplicate-event-id',
        message: `event_id ${eventId} is repeated in this batch`,
      });
    }
    seen.events.add(eventId);

    const ref = this.find(eventId);
    if (ref) return { ...reject(event, storedAlready(eventId, ref.sequence)), sequence: ref.sequence };
    // From here on a refusal must be sure that the id is not stored, since that would have been the reason.
    const fault =
      this.options.rules.faultOf(event) ?? this.commandFault(commandId, seen) ?? this.versionFault(event);
    if (fault === null) return null;
    if (ref === undefined) this.neededEvents.add(eventId);
    return reject(event, fault);
  }

  /**
   * Comes before all else, so such an event takes no id or command from others of its request. What is stored stays stored: if an
   * earlier attempt of the request did that, the event is acknowledged; if an earlier request did, the answer says so.
   */
  private rejectBySchema(event: Event, fault: Fault): Rejection {
    const ref = this.find(event.eventId);
    if (ref === undefined) this.neededEvents.add(event.eventId);
    if (!ref) return reject(event, fault);
    const message = `${fault.message}; the event is already stored with sequence_number ${ref.sequence}`;
    return { ...reject(event, { ...fault, message }), sequence: ref.sequence };
  }

  private commandFault(commandId: CommandId | null, seen: Seen): Fault | null {
    if (commandId === null) return null;
    const repeated = seen.commands.has(commandId) || this.acceptedCommands.has(commandId);
    seen.commands.add(commandId);
    if (!repeated && !this.options.facts.commands.get(commandId)) return null;
    return {
      reason: 'duplicate-command-id',
      message: `command_id ${commandId} already belongs to another event of this stream`,
    };
  }

  private versionFault(event: Event): Fault | null {
    if (event.baseVersion === null) return null;
    const version = this.options.versions.find(event);
    if (version === null || event.baseVersion === BigInt(version)) return null;
    const { commandId } = event;
    // A command that is used up would have been the reason.
    if (commandId !== null && !this.options.facts.commands.has(commandId)) this.neededCommands.add(commandId);
    const versions = `expected ${event.baseVersion}, actual ${version}`;
    return { reason: 'version-conflict', message: versions, detail: versions };
  }

  private accept(event: Event, requestId: RequestId): Sequenced<Event> {
    const { store, rules, sha256, versions } = this.options;
    if (this.head >= sequenceMax) {
      throw new InvariantBroken('the stream has no sequence left', { ...store, head: this.head });
    }
    const sequence = sequenceAfter(this.head);
    const sequenced = {
      event,
      sequence,
      requestId,
      leafHash: rules.leafHash(store, sequence, event, sha256),
    };
    this.head = headAt(sequence);
    this.accepted.push(sequenced);
    this.acceptedEvents.set(event.eventId, sequenced);
    if (event.commandId !== null) this.acceptedCommands.add(event.commandId);
    versions.raise(event);
    return sequenced;
  }

  /** Where the event is stored or about to be; null when it is known not to be, undefined when nobody asked. */
  private find(eventId: EventId): Stored | Sequenced<Event> | null | undefined {
    return this.acceptedEvents.get(eventId) ?? this.options.facts.events.get(eventId);
  }
}

const refusedBefore: Fault = {
  reason: 'version-conflict',
  message: 'refused at the first attempt of this request; send it as a new request',
};

function storedAlready(eventId: EventId, sequence: Sequence): Fault {
  return {
    reason: 'duplicate-event-id',
    message: `event_id ${eventId} is already stored with sequence_number ${sequence}`,
  };
}

function reject(event: CandidateEvent, fault: Fault): Rejection {
  return { eventId: event.eventId, ...fault };
}
