import type { DeadLetterReason, DeadLetterStatus } from '../domain/projections/dead-letter.ts';
import type { JsonObject } from '../domain/projections/exact-json.ts';
import type { EntityState, EventToProject } from '../domain/projections/project.ts';
import type { EventId, Micros, StoreId, StoreKey, TenantId, Uuid } from '../domain/types.ts';

/**
 * What the unsigned events of each store add up to, how far that goes, and the events that were refused.
 *
 * All that belongs to a store has one revision. Whoever changes any of it names the revision that it has read, and changes
 * nothing when that is no longer the one there is: so a crash, a second node or a retry never applies an event twice. Claims
 * only keep nodes from doing the same work; they run out by themselves, and nothing depends on them.
 *
 * All methods throw `LogUnavailable` when the database can't be reached or does not answer in time. A change may then have
 * been made all the same, and the next one finds another revision.
 */
export interface Projections {
  /** Streams with events that are not projected, those left alone for longest first, claimed for `claimSecs`. */
  claimDue(claim: DueClaim): Promise<ProjectedStream[]>;

  /** Where a stream's projections stand, claimed or not; null when nothing of it was ever projected. */
  find(store: StoreKey): Promise<ProjectedStream | null>;

  /** Events after `stream.lastSequence`, ascending, as far as the bounds go, and at least one if there is one. */
  readEvents(stream: ProjectedStream, bounds: ReadBounds): Promise<ProjectableEvent[]>;

  /** One event; null when the stream has none with this id. */
  readEvent(stream: ProjectedStream, eventId: EventId): Promise<ProjectableEvent | null>;

  /** Of these entities those that are there, by `entityKey`. */
  readEntities(stream: ProjectedStream, entities: readonly EntityName[]): Promise<Map<string, EntityState>>;

  /**
   * Makes all the changes of a step or none of them.
   * @returns the stream as it is now; null when its revision was not the given one, or its tenant is erased
   */
  advance(stream: ProjectedStream, step: ProjectionStep): Promise<ProjectedStream | null>;

  /** Deletes what is projected of a stream, with its dead letters, so that it begins anew. False when there is no such store. */
  reset(store: StoreKey): Promise<boolean>;

  /** Dead letters whose time has come, the longest waiting first; they count as `retrying` for `claimSecs`. */
  claimDueDeadLetters(max: number, claimSecs: number): Promise<DeadLetter[]>;

  /** The same for one, whatever its time, unless it is being tried or was applied. */
  claimDeadLetter(id: Uuid, claimSecs: number): Promise<DeadLetter | null>;

  /** What came of a try that applied nothing. A dead letter that is gone stays gone. */
  noteRefusal(id: Uuid, refusal: RefusedAgain): Promise<void>;

  /** Deletes one that is not being tried. @returns null when there is none, or it is */
  discardDeadLetter(id: Uuid): Promise<DeadLetter | null>;

  findDeadLetter(id: Uuid): Promise<DeadLetter | null>;

  /** Newest first, at most `limit`. */
  listDeadLetters(filter: DeadLetterFilter, page: DeadLetterPage): Promise<DeadLetter[]>;

  /** What readers of one entity are told. */
  readEntity(store: StoreKey, entity: EntityName): Promise<EntityReading>;

  /** Streams that have events or projections, those furthest behind first, at most `limit`. */
  listStreams(tenantId: TenantId | null, storeId: StoreId | null, limit: number): Promise<StreamProgress[]>;

  /** Of those the ones that stand still, those that do so for longest first. */
  listStalledStreams(
    tenantId: TenantId | null,
    storeId: StoreId | null,
    limit: number,
  ): Promise<StreamProgress[]>;

  figures(): Promise<ProjectionFigures>;

  /** Deletes the oldest records of refused events, at most `rowsMax` that are older. @returns how many there were */
  deleteOldRefusals(rule: { readonly olderThanDays: number; readonly rowsMax: number }): Promise<number>;
}

export interface DueClaim {
  readonly claimant: string;
  readonly claimSecs: number;
  readonly streamsMax: number;
  /** Store numbers to leave alone. */
  readonly except: readonly number[];
}

/** A stream at one revision. */
export interface ProjectedStream extends StoreKey {
  /** The log's own short number for the store; opaque to everyone else. */
  readonly storeNumber: number;
  /** Of the last event that was looked at; 0 before the first. */
  readonly lastSequence: number;
  readonly revision: number;
  readonly head: number;
}

export interface ReadBounds {
  readonly eventsMax: number;
  /** Of their payloads together, the last of them left out. */
  readonly bytesMax: number;
}

export interface ProjectableEvent extends EventToProject {
  readonly sequence: number;
  readonly eventId: EventId;
}

export interface EntityName {
  readonly entityType: string;
  readonly entityId: string;
}

/** What an event, or a run of events, changes. */
export interface ProjectionStep {
  /** Null when the step is a retry, which leaves it where it is. */
  readonly lastSequence: number | null;
  readonly entities: readonly ChangedEntity[];
  readonly refusals: readonly RefusedEvent[];
  readonly counts: StepCounts;
  /** The dead letter that this step resolves. */
  readonly resolves: Uuid | null;
}

export interface StepCounts {
  readonly applied: number;
  readonly refused: number;
  readonly skipped: number;
}

export interface ChangedEntity extends EntityName, EntityState {
  /** Of the last event that was applied to it in this step. */
  readonly lastSequence: number;
}

export interface RefusedEvent extends EntityName {
  readonly sequence: number;
  readonly eventId: EventId;
  readonly eventType: string;
  readonly reasonCode: string;
  readonly message: string;
  readonly expectedVersion: number | null;
  readonly actualVersion: number | null;
  readonly deadLetterReason: DeadLetterReason;
  readonly status: 'pending' | 'failed';
  readonly delaySecs: number | null;
}

export interface RefusedAgain {
  readonly reason: DeadLetterReason;
  readonly message: string;
  readonly status: 'pending' | 'failed';
  readonly delaySecs: number | null;
}

/** An event that was refused. Its payload is in the event itself. */
export interface DeadLetter extends StoreKey, EntityName {
  readonly id: Uuid;
  readonly sequence: number;
  readonly eventId: EventId;
  readonly eventType: string;
  readonly reason: DeadLetterReason;
  readonly status: DeadLetterStatus;
  readonly errorMessage: string;
  readonly retryCount: number;
  readonly retriesMax: number;
  readonly lastRetryAt: Micros | null;
  readonly nextRetryAt: Micros | null;
  readonly createdAt: Micros;
}

/** Null means any. */
export interface DeadLetterFilter {
  readonly tenantId: TenantId | null;
  readonly storeId: StoreId | null;
  readonly status: DeadLetterStatus | null;
  readonly reason: DeadLetterReason | null;
}

export interface DeadLetterPage {
  /** The last of the page before. */
  readonly after: Pick<DeadLetter, 'createdAt' | 'id'> | null;
  readonly limit: number;
}

export interface EntityReading {
  /** Null when there is none. */
  readonly entity: (EntityState & { readonly lastSequence: number; readonly state: JsonObject }) | null;
  /** Of the stream; 0 when nothing of it is projected. */
  readonly projectedTo: number;
  /** Where a rebuild under way ends; null when none is. */
  readonly rebuildingTo: number | null;
}

export interface StreamProgress extends StoreKey {
  readonly head: number;
  readonly lastSequence: number;
  readonly rebuildingTo: number | null;
  readonly applied: number;
  readonly refused: number;
  readonly skipped: number;
  readonly deadLetters: number;
  /** Null when nothing of it was projected yet. */
  readonly updatedAt: Micros | null;
  /** Since when its next event could have been projected, and nothing of the stream was; null when there is none. */
  readonly waitingSince: Micros | null;
}

export interface ProjectionFigures {
  /** Of the stream that is furthest behind, in events. */
  readonly lagMax: number;
  /** Streams that stand still; counted up to a few thousand. */
  readonly stalled: number;
  /** For how long the one of them has that does so for longest, in seconds; 0 when there is none. */
  readonly stalledSecsMax: number;
  /** Dead letters by status; those resolved are not counted. */
  readonly pending: number;
  readonly failed: number;
  readonly due: number;
}

/**
 * A stream stands still when its next event has waited for so long, and nothing of the stream was projected meanwhile. One
 * that is far behind and moves does not.
 */
export const stalledAfterSecs = 300;

/** One text for an entity of a stream, for maps. */
export function entityKey({ entityType, entityId }: EntityName): string {
  return `${entityType}\0${entityId}`;
}
