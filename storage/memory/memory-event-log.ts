import { AppendOutcomeUnknown, LogUnavailable, Refused } from '../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import {
  type CommandId,
  type EntityVersion,
  type Epoch,
  type EventId,
  type Head,
  type Heads,
  type Micros,
  type Sequence,
  storeKeyText,
  type StoreKey,
  type World,
} from '../../domain/types.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import { eventCountOf, headsAfter } from '../append-batch.ts';
import type { AppendBatch, AppendOutcome, Claim, EntityKey, EventLog, EventRef } from '../event-log.ts';

/** What the next call of an operation does: either way its caller learns nothing of the result. */
export type Fault = 'failed, not saved' | 'failed, but saved';

/**
 * The log's contract without a database: nothing survives the process. For tests and the simulator, which break one
 * call at a time. It has no clock and no chance in it, so a run can be repeated.
 */
export class MemoryEventLog implements EventLog {
  private readonly stores = new Map<string, MemoryStore>();
  private readonly faults = new Map<keyof EventLog, Fault[]>();

  private readonly storesPerTenantMax: number;

  /** @param storesPerTenantMax a claim makes no store beyond this number; 0 is no bound */
  constructor(storesPerTenantMax = 0) {
    this.storesPerTenantMax = storesPerTenantMax;
  }

  /** Makes the next call of `operation` fail; faults given one after another strike one call each. */
  breakNext(operation: keyof EventLog, fault: Fault): void {
    this.faults.set(operation, [...(this.faults.get(operation) ?? []), fault]);
  }

  claim(store: StoreKey, claimant: string): Promise<Claim> {
    return this.call('claim', () => {
      this.checkRoomFor(store);
      const row = this.rowOf(store);
      const previousClaimant = row.epoch === 0 ? null : row.claimant;
      row.epoch += 1;
      row.claimant = claimant;
      return {
        tenantId: store.tenantId,
        storeId: store.storeId,
        storeNumber: row.storeNumber,
        epoch: row.epoch as Epoch,
        heads: headsOf(row),
        previousClaimant,
        lastSequencedAt: row.lastSequencedAt,
      };
    });
  }

  append(batch: AppendBatch): Promise<AppendOutcome> {
    return this.call('append', () => {
      headsAfter(batch); // For what it throws.
      const row = this.rowOf(batch.claim);
      if (this.isFenced(row, batch)) {
        return { kind: 'fenced', epoch: row.epoch as Epoch, claimant: row.claimant };
      }
      if (this.haveHeadsMoved(row, batch)) return { kind: 'heads-moved', heads: headsOf(row) };
      if (this.repeatsAnId(row, batch)) return { kind: 'conflict' };
      addLegacyEvents(row, batch);
      addVesEvents(row, batch);
      if (eventCountOf(batch) > 0) row.lastSequencedAt = batch.sequencedAt;
      return { kind: 'appended' };
    });
  }

  findEvents(claim: Claim, eventIds: readonly EventId[]): Promise<Map<EventId, EventRef>> {
    return this.call('findEvents', () => found(this.rowOf(claim).legacy.byEventId, eventIds));
  }

  findVesEvents(claim: Claim, eventIds: readonly EventId[]): Promise<Map<EventId, StoredVesEvent>> {
    return this.call('findVesEvents', () => found(this.rowOf(claim).ves.byEventId, eventIds));
  }

  findCommands(
    claim: Claim,
    world: World,
    commandIds: readonly CommandId[],
  ): Promise<Map<CommandId, EventRef>> {
    return this.call('findCommands', () => found(this.rowOf(claim)[world].byCommandId, commandIds));
  }

  entityVersions(claim: Claim, entities: readonly EntityKey[]): Promise<EntityVersion[]> {
    return this.call('entityVersions', () => {
      const { versions } = this.rowOf(claim);
      return entities.map((entity) => (versions.get(entityText(entity)) ?? 0) as EntityVersion);
    });
  }

  heads(store: StoreKey): Promise<Heads> {
    return this.call('heads', () => {
      const row = this.stores.get(storeKeyText(store));
      return row === undefined ? { legacy: 0 as Head, ves: 0 as Head } : headsOf(row);
    });
  }

  readLegacy(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredLegacyEvent[]> {
    return this.call('readLegacy', () =>
      slice(this.stores.get(storeKeyText(store))?.legacy.events, from, to),
    );
  }

  readVes(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredVesEvent[]> {
    return this.call('readVes', () => slice(this.stores.get(storeKeyText(store))?.ves.events, from, to));
  }

  readVesEvent(store: StoreKey, eventId: EventId): Promise<StoredVesEvent | null> {
    return this.call(
      'readVesEvent',
      () => this.stores.get(storeKeyText(store))?.ves.byEventId.get(eventId) ?? null,
    );
  }

  readLegacyEntity(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ events: StoredLegacyEvent[]; total: number }> {
    return this.call('readLegacyEntity', () => {
      const events = this.stores.get(storeKeyText(store))?.legacy.events ?? [];
      const all = events.filter((event) => entityText(event) === entityText(entity));
      return { events: all.slice(page.offset, page.offset + page.limit), total: all.length };
    });
  }

  // The three checks of an append, each a method so that the simulator can show what goes wrong without it.

  protected isFenced(row: MemoryStore, batch: AppendBatch): boolean {
    return row.epoch !== batch.claim.epoch;
  }

  protected haveHeadsMoved(row: MemoryStore, { expectedHeads }: AppendBatch): boolean {
    const heads = headsOf(row);
    return heads.legacy !== expectedHeads.legacy || heads.ves !== expectedHeads.ves;
  }

  protected repeatsAnId(row: MemoryStore, batch: AppendBatch): boolean {
    return repeatsAnId(row, batch);
  }

  /** Runs the operation unless a fault comes before it, and withholds its result when one comes after it. */
  private async call<Result>(operation: keyof EventLog, run: () => Result): Promise<Result> {
    const fault = this.faults.get(operation)?.shift();
    await Promise.resolve();
    if (fault === undefined) return run();
    if (fault === 'failed, but saved') run();
    const message = `${operation} ${fault}`;
    throw operation === 'append' ? new AppendOutcomeUnknown(message) : new LogUnavailable(message);
  }

  private checkRoomFor({ tenantId, storeId }: StoreKey): void {
    if (this.storesPerTenantMax === 0 || this.stores.has(storeKeyText({ tenantId, storeId }))) return;
    const ofTenant = [...this.stores.keys()].filter((key) => key.startsWith(tenantId)).length;
    if (ofTenant >= this.storesPerTenantMax) {
      throw new Refused('QUOTA_EXCEEDED', `tenant ${tenantId} may have no more stores`, { tenantId });
    }
  }

  private rowOf(store: StoreKey): MemoryStore {
    const key = storeKeyText(store);
    const row = this.stores.get(key) ?? emptyStore(this.stores.size + 1);
    this.stores.set(key, row);
    return row;
  }
}

/** One fence row, and the events of its store with the indexes that the log needs. */
export interface MemoryStore {
  readonly storeNumber: number;
  epoch: number;
  claimant: string;
  lastSequencedAt: Micros | null;
  readonly legacy: MemoryStream<StoredLegacyEvent, EventRef>;
  readonly ves: MemoryStream<StoredVesEvent, StoredVesEvent>;
  readonly versions: Map<string, number>;
}

interface MemoryStream<Stored, Found> {
  /** Their number is the head. */
  readonly events: Stored[];
  readonly byEventId: Map<EventId, Found>;
  readonly byCommandId: Map<CommandId, EventRef>;
}

function emptyStore(storeNumber: number): MemoryStore {
  return {
    storeNumber,
    epoch: 0,
    claimant: '',
    lastSequencedAt: null,
    legacy: { events: [], byEventId: new Map(), byCommandId: new Map() },
    ves: { events: [], byEventId: new Map(), byCommandId: new Map() },
    versions: new Map(),
  };
}

function headsOf({ legacy, ves }: MemoryStore): Heads {
  return { legacy: legacy.events.length as Head, ves: ves.events.length as Head };
}

function repeatsAnId(row: MemoryStore, batch: AppendBatch): boolean {
  return (['legacy', 'ves'] as const).some((world) => {
    const events = batch[world].map(({ event }) => event);
    const ids = events.map(({ eventId }) => eventId);
    const commands = events.flatMap(({ commandId }) => (commandId === null ? [] : [commandId]));
    return (
      new Set(ids).size < ids.length ||
      new Set(commands).size < commands.length ||
      ids.some((id) => row[world].byEventId.has(id)) ||
      commands.some((id) => row[world].byCommandId.has(id))
    );
  });
}

function addLegacyEvents(row: MemoryStore, { claim, sequencedAt, legacy }: AppendBatch): void {
  const { tenantId, storeId } = claim;
  for (const { event, sequence, requestId, leafHash } of legacy) {
    const { payloadHashDiffers: _checked, ...fields } = event;
    row.legacy.events.push({
      ...fields,
      ...{ tenantId, storeId, sequence, sequencedAt, leafHash },
      baseVersion: event.baseVersion === null ? null : (Number(event.baseVersion) as EntityVersion),
      // Copies: the event's bytes are views into a request's body, which is not ours to keep.
      payload: event.payload.slice(),
      signature: event.signature?.slice() ?? null,
    });
    row.legacy.byEventId.set(event.eventId, { eventId: event.eventId, sequence, requestId });
    index(row, row.legacy.byCommandId, event, { eventId: event.eventId, sequence, requestId });
  }
}

function addVesEvents(row: MemoryStore, { claim, sequencedAt, ves }: AppendBatch): void {
  const { tenantId, storeId } = claim;
  for (const { event, sequence, requestId, leafHash, receiptSignature } of ves) {
    const { fault: _checked, ...fields } = event;
    const stored: StoredVesEvent = {
      ...fields,
      ...{ tenantId, storeId, sequence, sequencedAt, requestId, leafHash, receiptSignature },
      payload: event.payload.slice(),
    };
    row.ves.events.push(stored);
    row.ves.byEventId.set(event.eventId, stored);
    index(row, row.ves.byCommandId, event, { eventId: event.eventId, sequence, requestId });
  }
}

function index(
  row: MemoryStore,
  byCommandId: Map<CommandId, EventRef>,
  event: EntityKey & { readonly commandId: CommandId | null },
  ref: EventRef,
): void {
  if (event.commandId !== null) byCommandId.set(event.commandId, ref);
  const entity = entityText(event);
  row.versions.set(entity, (row.versions.get(entity) ?? 0) + 1);
}

function found<Id, Found>(stored: ReadonlyMap<Id, Found>, ids: readonly Id[]): Map<Id, Found> {
  return new Map(
    ids.flatMap((id) => {
      const ref = stored.get(id);
      return ref === undefined ? [] : [[id, ref] as const];
    }),
  );
}

function slice<Stored>(events: readonly Stored[] | undefined, from: Sequence, to: Sequence): Stored[] {
  return events?.slice(Math.max(from, 1) - 1, to) ?? [];
}

/** JSON, since either part may hold any character that would separate them. */
function entityText({ entityType, entityId }: EntityKey): string {
  return JSON.stringify([entityType, entityId]);
}
